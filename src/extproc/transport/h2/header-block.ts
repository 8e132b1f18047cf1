import { CODE, ConnectionError, FLAG } from './protocol.js';

const MOST_BYTES = 64 * 1024;
const MOST_FRAMES = 16;

/** A header block that lies in several frames. Source: RFC 9113, section 6.10. */
export class HeaderBlock {
  /** Its stream; 0 = none is open. */
  stream = 0;
  /** Nothing follows it. */
  endsStream = false;
  #pieces: Buffer[] = [];
  #length = 0;

  begin(stream: number, endsStream: boolean, piece: Buffer): void {
    this.stream = stream;
    this.endsStream = endsStream;
    this.#length = 0;
    this.#add(piece);
  }

  /** @throws ConnectionError for a block that does not end */
  add(piece: Buffer): void {
    if (this.#pieces.length >= MOST_FRAMES) throw new ConnectionError(CODE.enhanceYourCalm, 'headers without an end');
    this.#add(piece);
  }

  /** The block, whole. */
  end(): Buffer {
    const whole = Buffer.concat(this.#pieces, this.#length);
    this.#pieces = [];
    this.stream = 0;
    return whole;
  }

  #add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > MOST_BYTES) throw new ConnectionError(CODE.enhanceYourCalm, `${this.#length} bytes of headers`);
    this.#pieces.push(Buffer.from(piece));
  }
}

/**
 * The header block in a HEADERS frame, without padding and priority. Source: RFC 9113, section 6.2.
 * @throws ConnectionError
 */
export function blockOf(flags: number, payload: Buffer): Buffer {
  let from = 0;
  let to = payload.length;
  if ((flags & FLAG.padded) !== 0) {
    to -= payload[0] ?? 0;
    from = 1;
  }
  if ((flags & FLAG.priority) !== 0) from += 5;
  if (from > to) throw new ConnectionError(CODE.protocol, 'padding of headers');
  return payload.subarray(from, to);
}
