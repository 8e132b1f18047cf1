/** So many that names of one request seldom take each other's place. */
const SLOTS = 1024;
/** Names of headers and fields are shorter; a longer text is not looked for. */
const LONGEST = 64;

/** Remembers ASCII texts by where they hash to, so that what comes with every message is compared, not decoded. One text per slot. */
export class NameCache {
  readonly #slots: string[] = new Array<string>(SLOTS).fill('');

  text(bytes: Buffer, at: number, length: number): string {
    if (length === 0 || length > LONGEST) return bytes.toString('utf8', at, at + length);
    const slot = slotOf(bytes, at, length);
    const known = this.#slots[slot] ?? '';
    if (known.length === length && isSame(known, bytes, at)) return known;
    const text = bytes.toString('utf8', at, at + length);
    this.#slots[slot] = text;
    return text;
  }
}

function slotOf(bytes: Buffer, at: number, length: number): number {
  const first = bytes[at] ?? 0;
  const middle = bytes[at + (length >> 1)] ?? 0;
  const later = bytes[at + (length >> 2) * 3] ?? 0;
  const last = bytes[at + length - 1] ?? 0;
  return (length * 31 + first * 7 + middle * 37 + later * 13 + last * 101) % SLOTS;
}

function isSame(known: string, bytes: Buffer, at: number): boolean {
  for (let index = 0; index < known.length; index += 1) {
    const code = known.charCodeAt(index);
    // Beyond ASCII a character is not its byte.
    if (code > 0x7f || code !== bytes[at + index]) return false;
  }
  return true;
}
