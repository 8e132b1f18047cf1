/** Choices that have a bit in a small integer. */
const BITS = 30;

/** Which of an answer's choices have begun and which have finished, by index. Nearly every answer has one choice. */
export class OpenChoices {
  #open = 0;
  #finished = 0;
  /** Of indexes beyond the bits. */
  #more: { readonly open: Set<number>; readonly finished: Set<number> } | null = null;

  /** Choices were seen, and all of them have finished; one that begins later opens the answer again. */
  get allFinished(): boolean {
    if (this.#open !== 0 || (this.#more !== null && this.#more.open.size > 0)) return false;
    return this.#finished !== 0 || this.#more !== null;
  }

  /** An event of this choice: its last one, or not. */
  note(index: number, { last }: { readonly last: boolean }): void {
    if (Number.isInteger(index) && index >= 0 && index < BITS) this.#noteBit(1 << index, last);
    else this.#noteOther(index, last);
  }

  #noteBit(bit: number, last: boolean): void {
    if (last) {
      this.#finished |= bit;
      this.#open &= ~bit;
    } else if ((this.#finished & bit) === 0) this.#open |= bit;
  }

  #noteOther(index: number, last: boolean): void {
    this.#more ??= { open: new Set(), finished: new Set() };
    const { open, finished } = this.#more;
    if (last) {
      finished.add(index);
      open.delete(index);
    } else if (!finished.has(index)) open.add(index);
  }
}
