import type { JsonObject } from './json-value.js';
import { mediaType } from './media-type.js';

/** How a stream's events are laid into bytes: server-sent events, AWS frames, or the elements of one JSON array (Gemini). */
export type Framing = 'sse' | 'aws-event-stream' | 'json-array';

/** What a provider said when it failed in the middle of a stream. */
export interface StreamFault {
  /** At most 300 characters; '' when it said nothing readable. */
  readonly message: string;
  /** The provider's own name for it: `overloaded_error`, `throttlingException`; null when it has none. */
  readonly code: string | null;
}

/** What the reader of a stream is told, in the order of the bytes. */
export interface EventHandler {
  /** `type`: value of the `event:` line or of AWS' `:event-type`; '' when there is none. */
  event(type: string, data: JsonObject): void;
  /** `data: [DONE]` */
  done(): void;
  /** A fault that the framing itself tells: `event: error`, a bare error line, `:exception-type`, a bad checksum. */
  fault(fault: StreamFault): void;
  /** An event that is too long, or no JSON, and was passed over. */
  skipped(): void;
}

/** Cuts bytes into events. Chunks may be cut anywhere; the calls are the same for every cutting. Never throws on bad input. */
export interface EventDecoder {
  /** `chunk` is only valid during the call. */
  push(chunk: Buffer): void;
  /** The stream is over; false when an event was cut off. */
  end(): boolean;
}

/** The framing of an answer by what it is, else by what was asked for; null = no stream of events. */
export function framingOf(contentType: string, stream: boolean): Framing | null {
  const type = mediaType(contentType);
  if (type === 'text/event-stream') return 'sse';
  if (type === 'application/vnd.amazon.eventstream') return 'aws-event-stream';
  return stream && /[/+]json$/.test(type) ? 'json-array' : null;
}
