/** What decides about an answer. */
export interface AskedFor {
  readonly path: string;
  readonly model: string;
  readonly stream: boolean;
}

const END_CHUNKED = '0\r\n\r\n';
/** Of a body, what is looked at: its first and its last piece, and no more of them than this at each side. */
const LOOKED_AT = 1024;

/** Reads requests of HTTP/1.1 off one connection, one at a time, and of their bodies only both ends. */
export class RequestReader {
  readonly #onRequest: (request: AskedFor) => void;
  #head: Buffer | null = null;
  #path = '';
  #left: number | null = null;
  #pieces: Buffer[] | null = null;

  constructor(onRequest: (request: AskedFor) => void) {
    this.#onRequest = onRequest;
  }

  push(piece: Buffer): void {
    if (this.#pieces !== null) {
      this.#pushBody(this.#pieces, piece);
      return;
    }
    const bytes = this.#head === null ? piece : Buffer.concat([this.#head, piece]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#head = bytes;
      return;
    }
    this.#head = null;
    const head = bytes.toString('latin1', 0, end);
    this.#path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    const chunked = length === null && /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#left = chunked ? null : Number(length?.[1] ?? 0);
    this.#pieces = [];
    this.#pushBody(this.#pieces, bytes.subarray(end + 4));
  }

  #pushBody(pieces: Buffer[], piece: Buffer): void {
    if (piece.length > 0) pieces.push(piece);
    // The last two stay, so that what is looked at cannot be cut.
    if (pieces.length > 3) pieces.splice(1, 1);
    if (this.#left !== null) this.#left -= piece.length;
    const whole = this.#left === null ? endOf(pieces).endsWith(END_CHUNKED) : this.#left <= 0;
    if (!whole) return;
    this.#pieces = null;
    const ends = (pieces[0]?.toString('latin1', 0, LOOKED_AT) ?? '') + endOf(pieces);
    this.#onRequest({
      path: this.#path,
      model: /"model": ?"([^"]*)"/.exec(ends)?.[1] ?? '',
      stream: /"stream": ?true/.test(ends),
    });
  }
}

function endOf(pieces: readonly Buffer[]): string {
  const last = pieces.at(-1);
  if (last === undefined) return '';
  const text = last.toString('latin1', Math.max(0, last.length - LOOKED_AT));
  const before = pieces.at(-2);
  return before && text.length < LOOKED_AT
    ? before.toString('latin1', Math.max(0, before.length - LOOKED_AT)) + text
    : text;
}
