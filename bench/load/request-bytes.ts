import type { Load } from './load.js';

/** The requests of a run, each whole on the wire; sent in turn. One unless there are several keys or models. */
export function requestsOf(load: Load): readonly Buffer[] {
  const models = load.models ?? [load.model];
  const keys = load.keys ?? [load.key];
  const bodies = models.map((model) => bodyOf(load, model));
  const count = models.length === keys.length ? keys.length : models.length * keys.length;
  return Array.from({ length: count }, (_, at) =>
    whole(load, keys[at % keys.length] ?? '', bodies[at % bodies.length] ?? ''),
  );
}

function bodyOf(load: Load, model: string): string {
  const sentence = 'The quick brown fox jumps over the lazy dog. ';
  const content = sentence.repeat(Math.ceil(load.prompt / sentence.length)).slice(0, load.prompt);
  const messages = [{ role: 'user', content }];
  return JSON.stringify({ messages, model, ...(load.stream ? { stream: true } : {}) });
}

function whole(load: Load, key: string, body: string): Buffer {
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: bench',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(load.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
