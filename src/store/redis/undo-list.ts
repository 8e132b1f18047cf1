/** More than a process has under way; what does not fit expires by itself. */
const MOST = 10_000;

/**
 * Holds that were reported as unavailable and may have been made all the same. Each is taken back once that is known or can be
 * done, unless its request has asked again: then the hold is wanted.
 */
export class UndoList {
  readonly #late = new Map<string, object>();
  readonly #lost = new Set<string>();

  /** No answer came in time to this try; one may still come. */
  expectLate(id: string, tried: object): void {
    if (this.#late.size < MOST) this.#late.set(id, tried);
  }

  /** True: a late answer to this try is to be taken back. */
  isUnwanted(id: string, tried: object): boolean {
    if (this.#late.get(id) !== tried) return false;
    this.#late.delete(id);
    return true;
  }

  /** No answer will come. Only for what nobody has asked for again. */
  lose(id: string, tried: object): void {
    if (this.#late.get(id) !== tried) return;
    this.#late.delete(id);
    if (this.#lost.size < MOST) this.#lost.add(id);
  }

  want(id: string): void {
    this.#late.delete(id);
    this.#lost.delete(id);
  }

  /** What can be taken back now that there is a connection again. */
  takeLost(): readonly string[] {
    const ids = [...this.#lost];
    this.#lost.clear();
    return ids;
  }
}
