import { createDecoder } from '../codec/content-encoding.js';
import { createResponseReader } from '../dialects/create-reader.js';
import type { Endpoint } from '../dialects/endpoint.js';
import type { ResponseFacts, ResponseReader } from '../dialects/response-reader.js';

/** Reads what passes, decoding it first where the provider compressed it although nobody asked. */
export interface Meter {
  readonly facts: Readonly<ResponseFacts>;
  push(chunk: Buffer): void;
  end(): void;
}

/** Chooses the reader once, from what the response says it is. */
export function createMeter(endpoint: Endpoint, contentType: string, contentEncoding: string | undefined): Meter {
  const stream = /^text\/event-stream/i.test(contentType);
  const reader: ResponseReader = createResponseReader(endpoint.wire, { stream, contentType });
  if (contentEncoding === undefined || contentEncoding === '' || contentEncoding === 'identity') return reader;
  const decoder = createDecoder(contentEncoding, (bytes) => reader.push(bytes));
  return {
    facts: reader.facts,
    push: (chunk) => decoder.push(chunk),
    end() {
      decoder.end();
      reader.end();
    },
  };
}
