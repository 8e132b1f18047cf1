import { encodeFrame, type FrameHeaders } from '../../codec/aws-event-stream.js';
import type { JsonObject } from '../json.js';

export const FRAMES = 'application/vnd.amazon.eventstream';

const PADDING = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** One event as Bedrock sends it: padded, so that its length does not tell what it holds. */
export function eventFrame(type: string, payload: JsonObject): Buffer {
  const p = PADDING.slice(0, 3 + (JSON.stringify(payload).length % 40));
  return frame(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    { ...payload, p },
  );
}

export function exceptionFrame(type: string, message: string): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return frame(headers, { message });
}

function frame(named: Readonly<Record<string, string>>, payload: JsonObject): Buffer {
  const entries = Object.entries(named).map(([name, value]) => [name, { type: 'string', value }] as const);
  const headers: FrameHeaders = new Map(entries);
  return encodeFrame(headers, Buffer.from(JSON.stringify(payload)));
}
