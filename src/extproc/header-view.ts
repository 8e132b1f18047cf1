import type { HeaderView } from '../gateway/headers.js';
import type { HeaderValue, HttpHeaders } from './messages.js';

function textOf(header: HeaderValue): string {
  // Envoy fills `raw_value`; header bytes are latin1 by RFC 9110, never UTF-8 to be interpreted.
  return header.raw_value && header.raw_value.length > 0 ? header.raw_value.toString('latin1') : (header.value ?? '');
}

/** Looks headers up in the decoded message without building a map: a request asks for a handful of some twenty. */
export function headerView(message: HttpHeaders): HeaderView {
  const headers = message.headers?.headers ?? [];
  return {
    get(name) {
      for (const header of headers) if (header.key === name) return textOf(header);
      return undefined;
    },
    all: (name) => headers.filter((header) => header.key === name).map(textOf),
    names: () => headers.map((header) => header.key),
    entries: () => headers.map((header) => [header.key, textOf(header)] as const),
  };
}
