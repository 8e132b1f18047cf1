const VALID = /^[a-zA-Z0-9_-]{1,128}$/;

/**
 * Ids of tool calls as Anthropic takes them: letters, digits, `_` and `-`, no two alike. Some models number their calls anew
 * in every turn (`functions.look:0`), so a result belongs to the last call of its id.
 */
export class ToolIds {
  readonly #last = new Map<string, string>();
  /** Ids that are given, with the number of the next copy. */
  readonly #taken = new Map<string, number>();

  /** For a call: an id that no other call has. */
  call(id: string): string {
    const valid = VALID.test(id) ? id : id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 100) || 'call';
    let unique = valid;
    let copy = this.#taken.get(valid) ?? 1;
    for (; this.#taken.has(unique); copy += 1) unique = `${valid.slice(0, 100)}_${copy}`;
    this.#taken.set(valid, copy).set(unique, 1);
    this.#last.set(id, unique);
    return unique;
  }

  /** For a result: the id that its call was given. */
  result(id: string): string {
    return this.#last.get(id) ?? this.call(id);
  }
}
