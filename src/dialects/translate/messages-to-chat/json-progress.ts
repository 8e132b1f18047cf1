/** Whether the pieces of a JSON object or list make up a whole one. Strings may be cut anywhere, inside escapes too. */
export class JsonProgress {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #isWhole = false;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  push(text: string): void {
    for (let at = 0; at < text.length && !this.#isWhole; at += 1) this.#step(text.charCodeAt(at));
  }

  #step(code: number): void {
    if (this.#inString) this.#stepInString(code);
    else if (code === 0x22) this.#inString = true;
    else if (code === 0x7b || code === 0x5b) this.#depth += 1;
    else if (code === 0x7d || code === 0x5d) {
      this.#depth -= 1;
      this.#isWhole = this.#depth <= 0;
    }
  }

  #stepInString(code: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (code === 0x5c) this.#escaped = true;
    else if (code === 0x22) this.#inString = false;
  }
}
