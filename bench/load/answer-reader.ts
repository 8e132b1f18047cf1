/** What a piece of an answer told. */
export type Read = 'head' | 'body' | 'end';

const END_CHUNKED = Buffer.from('\r\n0\r\n\r\n');
const AFTER_HEAD: Buffer = Buffer.from('\r\n');
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reads answers of HTTP/1.1 off one connection without keeping their bodies. The end of a chunked body is told by its
 * last bytes, so a body in which a chunk ends with an empty line, 0 and an empty line is none for this reader.
 */
export class AnswerReader {
  /** Of the answer that is read; 0 before its head is complete. */
  status = 0;
  /** Body bytes of the last piece; empty after `head`. */
  body: Buffer = NOTHING;
  #head: Buffer | null = null;
  /** Of a body whose length is known, else null. */
  #left: number | null = null;
  #tail: Buffer = AFTER_HEAD;
  #inBody = false;

  /** @returns `head`: no byte of the body yet; `body`: some; `end`: the last ones, the next piece begins another answer */
  push(piece: Buffer): Read {
    if (this.#inBody) this.body = piece;
    else if (!this.#readHead(piece)) return 'head';
    const { body } = this;
    if (this.#left !== null) {
      this.#left -= body.length;
      return this.#left > 0 ? begun(body) : this.#end();
    }
    this.#tail =
      body.length >= END_CHUNKED.length
        ? body.subarray(-END_CHUNKED.length)
        : Buffer.concat([this.#tail, body]).subarray(-END_CHUNKED.length);
    return this.#tail.equals(END_CHUNKED) ? this.#end() : begun(body);
  }

  /** Sets `body` too. @returns whether the head is complete */
  #readHead(piece: Buffer): boolean {
    if (this.#head === null) this.status = 0;
    const bytes = this.#head === null ? piece : Buffer.concat([this.#head, piece]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#head = bytes;
      return false;
    }
    this.#head = null;
    const head = bytes.toString('latin1', 0, end);
    this.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.#left = length ? Number(length[1]) : null;
    this.#tail = AFTER_HEAD;
    this.#inBody = true;
    this.body = bytes.subarray(end + 4);
    return true;
  }

  #end(): Read {
    this.#inBody = false;
    return 'end';
  }
}

function begun(body: Buffer): Read {
  return body.length > 0 ? 'body' : 'head';
}
