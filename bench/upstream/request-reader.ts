/** What decides about an answer. */
export interface AskedFor {
  readonly path: string;
  readonly model: string;
  readonly stream: boolean;
}

const END_CHUNKED = '0\r\n\r\n';
/** Of a body, what is looked at: so many bytes of its beginning, and so many of its end. */
const LOOKED_AT = 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/** Reads requests of HTTP/1.1 off one connection, one at a time, and of their bodies only both ends. */
export class RequestReader {
  readonly #onRequest: (request: AskedFor) => void;
  #head: Buffer | null = null;
  #inBody = false;
  #path = '';
  /** Of the body; null where chunks tell its end. */
  #left: number | null = null;
  #begin = NOTHING;
  #end = NOTHING;

  constructor(onRequest: (request: AskedFor) => void) {
    this.#onRequest = onRequest;
  }

  push(piece: Buffer): void {
    if (this.#inBody) {
      this.#pushBody(piece);
      return;
    }
    const bytes = this.#head === null ? piece : Buffer.concat([this.#head, piece]);
    const end = bytes.indexOf('\r\n\r\n');
    this.#head = end < 0 ? bytes : null;
    if (end >= 0) this.#beginBody(bytes.toString('latin1', 0, end), bytes.subarray(end + 4));
  }

  #beginBody(head: string, piece: Buffer): void {
    const [, path = ''] = head.split(' ', 2);
    this.#path = path;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    const chunked = length === null && /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#left = chunked ? null : Number(length?.[1] ?? 0);
    this.#begin = NOTHING;
    this.#end = NOTHING;
    this.#inBody = true;
    this.#pushBody(piece);
  }

  #pushBody(piece: Buffer): void {
    if (this.#begin.length < LOOKED_AT) this.#begin = join(this.#begin, piece).subarray(0, LOOKED_AT);
    this.#end = (piece.length >= LOOKED_AT ? piece : join(this.#end, piece)).subarray(-LOOKED_AT);
    if (this.#left !== null) this.#left -= piece.length;
    const whole = this.#left === null ? this.#end.toString('latin1').endsWith(END_CHUNKED) : this.#left <= 0;
    if (!whole) return;
    this.#inBody = false;
    const ends = this.#begin.toString('latin1') + this.#end.toString('latin1');
    this.#onRequest({
      path: this.#path,
      model: /"model": ?"([^"]*)"/.exec(ends)?.[1] ?? '',
      stream: /"stream": ?true/.test(ends),
    });
  }
}

function join(one: Buffer, other: Buffer): Buffer {
  return one.length === 0 ? other : Buffer.concat([one, other]);
}
