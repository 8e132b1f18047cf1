/** What a header field means here; looked up once for each field that the connection's table keeps. */
export type Meaning = 'method' | 'path' | 'contentType' | 'role' | 'routes' | 'otherPseudo' | 'other' | 'malformed';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** As HPACK counts it, RFC 7541, section 4.1. */
  readonly size: number;
  readonly meaning: Meaning;
}

/** Fields that speak of an HTTP/1 connection may not come, RFC 9113, section 8.2.2. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  [':method', 'method'],
  [':path', 'path'],
  ['content-type', 'contentType'],
  ['role', 'role'],
  ['routes', 'routes'],
  [':scheme', 'otherPseudo'],
  [':authority', 'otherPseudo'],
  ['connection', 'malformed'],
  ['keep-alive', 'malformed'],
  ['proxy-connection', 'malformed'],
  ['transfer-encoding', 'malformed'],
  ['upgrade', 'malformed'],
]);
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

export function headerField(name: string, value: string): HeaderField {
  const meaning = MEANINGS.get(name) ?? (NAME.test(name) ? 'other' : 'malformed');
  return { name, value, size: name.length + value.length + 32, meaning };
}

/** What we read of a request's headers (or trailers). One object serves all streams of a connection. */
export class RequestHead {
  method = '';
  path = '';
  contentType = '';
  /** gRPC metadata: which filter asks. Null = not said. */
  role: string | null = null;
  /** gRPC metadata: routes of Envoy that older bootstraps do not have. Null = not said. */
  routes: string | null = null;
  /** Breaks the rules of RFC 9113, section 8.3: the stream is refused. */
  malformed = false;
  #regular = false;

  clear(): void {
    this.method = '';
    this.path = '';
    this.contentType = '';
    this.role = null;
    this.routes = null;
    this.malformed = false;
    this.#regular = false;
  }

  take({ meaning, value }: HeaderField): void {
    if (meaning === 'other') this.#regular = true;
    else if (meaning === 'malformed') this.malformed = true;
    else if (meaning === 'role' || meaning === 'routes' || meaning === 'contentType') {
      this.#regular = true;
      this[meaning] = value;
    } else this.#pseudo(meaning, value);
  }

  #pseudo(meaning: 'method' | 'path' | 'otherPseudo', value: string): void {
    if (this.#regular) this.malformed = true;
    if (meaning === 'otherPseudo') return;
    if (this[meaning] !== '') this.malformed = true;
    this[meaning] = value;
  }
}
