/** Values above this are not kept: what we read (usage, model, error) is small. */
const MAX_VALUE = 256 * 1024;

/**
 * Reads chosen top-level members of a JSON object that passes in pieces, without keeping the rest: for answers too large
 * to be held (images, long lists of embeddings). Trusts the provider's JSON; broken JSON simply yields nothing more.
 */
export class JsonMembers {
  /** Raw JSON text of each wanted member seen so far; the last one wins. */
  readonly values = new Map<string, string>();
  /** Objects directly inside each top-level array, by its key: `data` → number of images. */
  readonly objectsIn = new Map<string, number>();
  /** The closing brace of the top-level object was seen. */
  complete = false;
  readonly #wanted: ReadonlySet<string>;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #isKey = false;
  #key = '';
  #keyBytes: number[] = [];
  /** Bytes of the wanted value that is passing, or null. */
  #value: Buffer[] | null = null;
  #valueLength = 0;

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  push(chunk: Buffer): void {
    let kept = 0;
    for (let at = 0; at < chunk.length && !this.complete; at += 1) {
      if (this.#inString) {
        at = this.#string(chunk, at);
        continue;
      }
      const byte = chunk[at] as number;
      if (byte === 0x22) this.#openString();
      else if (byte === 0x7b || byte === 0x5b) this.#openContainer(byte);
      else if (byte === 0x7d || byte === 0x5d || (byte === 0x2c && this.#depth === 1)) {
        if (this.#depth === 1) this.#endMember(chunk, kept, at);
        if (byte !== 0x2c) this.#depth -= 1;
        this.complete = this.#depth === 0;
      } else if (byte === 0x3a && this.#depth === 1) kept = this.#beginValue(at);
    }
    if (this.#value !== null) this.#keep(chunk, kept, chunk.length);
  }

  /** Returns the offset of the last byte that was read. */
  #string(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#escaped) this.#escaped = false;
      else if (byte === 0x5c) this.#escaped = true;
      else if (byte === 0x22) {
        this.#inString = false;
        if (this.#isKey) this.#endKey();
        return at;
      }
      if (this.#isKey && this.#keyBytes.length < 64) this.#keyBytes.push(byte);
    }
    return at;
  }

  #openString() {
    this.#inString = true;
    this.#isKey = this.#depth === 1 && this.#key === '';
    this.#keyBytes = [];
  }

  #endKey() {
    this.#key = Buffer.from(this.#keyBytes).toString('latin1') || ' ';
    this.#isKey = false;
  }

  #openContainer(byte: number) {
    if (this.#depth === 2 && byte === 0x7b) this.objectsIn.set(this.#key, (this.objectsIn.get(this.#key) ?? 0) + 1);
    this.#depth += 1;
  }

  #beginValue(colon: number): number {
    if (this.#wanted.has(this.#key)) {
      this.#value = [];
      this.#valueLength = 0;
    }
    return colon + 1;
  }

  #endMember(chunk: Buffer, start: number, end: number) {
    if (this.#value !== null) {
      this.#keep(chunk, start, end);
      if (this.#value !== null) this.values.set(this.#key, Buffer.concat(this.#value).toString('utf8'));
    }
    this.#value = null;
    this.#key = '';
  }

  #keep(chunk: Buffer, start: number, end: number) {
    this.#valueLength += end - start;
    if (this.#valueLength > MAX_VALUE) this.#value = null;
    else this.#value?.push(Buffer.from(chunk.subarray(start, end)));
  }
}
