import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import type { HttpHeaders, ProcessingRequest, ProcessingResponse } from '../../src/extproc/messages.js';
import { ProcessCall, type RawCall } from '../../src/extproc/process-call.js';

/** A gRPC stream without gRPC: what Envoy says is emitted, what it would get is kept. */
export class FakeCall extends EventEmitter {
  readonly metadata = new Metadata();
  readonly sent: ProcessingResponse[] = [];
  readonly faults: string[] = [];
  ended = false;
  error: unknown = null;
  readonly process = new ProcessCall(this as unknown as RawCall, (what, error) =>
    this.faults.push(`${what}: ${error}`),
  );

  constructor() {
    super();
    this.on('error', (error) => {
      this.error = error;
    });
  }

  write(response: ProcessingResponse): boolean {
    if (this.ended || this.error !== null) throw new Error('write after the end');
    this.sent.push(response);
    return true;
  }

  end(): void {
    this.ended = true;
  }

  say(request: ProcessingRequest): void {
    this.emit('data', request);
  }
}

/** As Envoy sends them: values in `raw_value`. */
export function message(headers: Readonly<Record<string, string>>, last = false): HttpHeaders {
  const entries = Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') }));
  return { headers: { headers: entries }, ...(last ? { end_of_stream: true } : {}) };
}

/** The attributes of a real answer. */
export const VIA_UPSTREAM = {
  'envoy.filters.http.ext_proc': { fields: { 'response.code_details': { string_value: 'via_upstream' } } },
};
