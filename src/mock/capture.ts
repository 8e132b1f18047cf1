import type { IncomingMessage } from 'node:http';

/** Everything that a test provider received with one request. */
export interface Capture {
  readonly method: string;
  readonly path: string;
  /** As on the wire: names with their case, repeated ones repeated. */
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly model: string | null;
}

/** Freezes what was received. */
export function captureOf(request: IncomingMessage, body: Buffer): Capture {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    rawHeaders: request.rawHeaders,
    headers,
    body,
    model: modelOf(body),
  };
}

/** The model in a JSON or multipart body, found without depending on the body being well-formed. */
function modelOf(body: Buffer): string | null {
  try {
    const value: unknown = JSON.parse(body.toString());
    const model = typeof value === 'object' && value !== null && 'model' in value ? value.model : null;
    return typeof model === 'string' ? model : null;
  } catch {
    return /name="model"[^\n]*\r\n\r\n([^\r\n]*)/.exec(body.toString('latin1'))?.[1] ?? null;
  }
}
