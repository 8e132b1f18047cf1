import { EventEmitter } from 'node:events';
import { type Channel, GuardedCall } from '../../src/extproc/guarded-call.js';
import type { ProcessingResponse } from '../../src/extproc/messages.js';
import { type HeadersShape, type RequestShape, type ResponseShape, requestOf, shapeOf } from './message-shapes.js';

/** A gRPC stream without gRPC: what happens to it is emitted as grpc-js does, what Envoy would get is kept. */
export class FakeCall extends EventEmitter implements Channel {
  readonly sent: ResponseShape[] = [];
  readonly faults: string[] = [];
  ended = false;
  error: unknown = null;
  readonly process = new GuardedCall(this, (what, error) => this.faults.push(`${what}: ${error}`));

  constructor() {
    super();
    this.on('end', () => this.process.halfClosed());
    for (const event of ['cancelled', 'close', 'error']) this.on(event, () => this.process.closed());
  }

  send(response: ProcessingResponse): void {
    this.#expectOpen();
    this.sent.push(shapeOf(response));
  }

  end(): void {
    this.#expectOpen();
    this.ended = true;
  }

  fail(code: number, details: string): void {
    this.#expectOpen();
    this.error = { code, details };
  }

  say(request: RequestShape): void {
    this.process.message(requestOf(request));
  }

  #expectOpen(): void {
    if (this.ended || this.error !== null) throw new Error('used after the end');
  }
}

/** As Envoy sends them: values in `raw_value`. */
export function message(headers: Readonly<Record<string, string>>, last = false): HeadersShape {
  const entries = Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') }));
  return { headers: { headers: entries }, ...(last ? { end_of_stream: true } : {}) };
}

/** The attributes of a real answer. */
export const VIA_UPSTREAM = {
  'envoy.filters.http.ext_proc': { fields: { 'response.code_details': { string_value: 'via_upstream' } } },
};
