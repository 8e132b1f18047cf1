/** Up to this many keys of one object are compared one by one; above it a Set of strings takes over. */
const LINEAR_KEYS = 64;

/**
 * Finds a key that an object repeats, for all open objects of one document at once. Keys are compared by a cheap hash
 * first; objects with many keys use a Set, so that keys with chosen hashes cost an attacker's peers nothing.
 */
export class OpenObjectKeys {
  readonly #bytes: Buffer;
  // Plain lists: a typed array of more than 64 bytes has its memory outside the heap, which most bodies are not worth.
  readonly #hashes: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #count = 0;
  /** Index of the first key of each open object. */
  readonly #bases: number[] = [];
  readonly #sets: (Set<string> | null)[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  open(): void {
    this.#bases.push(this.#count);
    this.#sets.push(null);
  }

  close(): void {
    this.#count = this.#bases.pop() ?? 0;
    this.#sets.pop();
  }

  /** Adds the key whose literal lies between the quotes at [start, end). False when the innermost object has it already. */
  add(start: number, end: number, escaped: boolean): boolean {
    const base = this.#bases[this.#bases.length - 1] ?? 0;
    if (this.#count - base >= LINEAR_KEYS) return this.#addToSet(base, start, end);
    const hash = escaped ? hashOf(Buffer.from(this.#text(start, end))) : this.#hash(start, end);
    for (let index = base; index < this.#count; index += 1) {
      if (this.#hashes[index] === hash && this.#same(index, start, end)) return false;
    }
    this.#push(hash, start, end);
    return true;
  }

  #addToSet(base: number, start: number, end: number): boolean {
    const level = this.#sets.length - 1;
    let set = this.#sets[level] ?? null;
    if (set === null) {
      set = new Set();
      for (let index = base; index < this.#count; index += 1) set.add(this.#textAt(index));
      this.#sets[level] = set;
    }
    const text = this.#text(start, end);
    if (set.has(text)) return false;
    set.add(text);
    return true;
  }

  #push(hash: number, start: number, end: number) {
    this.#hashes[this.#count] = hash;
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count += 1;
  }

  #same(index: number, start: number, end: number): boolean {
    return this.#textAt(index) === this.#text(start, end);
  }

  #textAt(index: number): string {
    return this.#text(this.#starts[index] ?? 0, this.#ends[index] ?? 0);
  }

  #text(start: number, end: number): string {
    return decodeKey(this.#bytes, start, end);
  }

  #hash(start: number, end: number): number {
    let hash = end - start;
    for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (this.#bytes[at] as number)) | 0;
    return hash;
  }
}

/** The text of the string literal between the quotes at [start, end); escapes decoded. */
export function decodeKey(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString('utf8', start, end);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
}

function hashOf(bytes: Buffer): number {
  let hash = bytes.length;
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash;
}
