const ALLOWED = /^[a-zA-Z0-9_.:-]{1,64}$/;
const LONGEST = 64;

/** Ids of tool calls as Bedrock takes them; those of other providers may be longer or have other characters. */
export class CallIds {
  readonly #sent = new Map<string, string>();
  readonly #taken = new Set<string>();

  toProvider(id: string): string {
    const known = this.#sent.get(id);
    if (known !== undefined) return known;
    const clean = ALLOWED.test(id) ? id : id.replace(/[^a-zA-Z0-9_.:-]/g, '_').slice(0, LONGEST) || 'call';
    let sent = clean;
    for (let number = 2; this.#taken.has(sent); number += 1) {
      const suffix = `_${number}`;
      sent = clean.slice(0, LONGEST - suffix.length) + suffix;
    }
    this.#sent.set(id, sent);
    this.#taken.add(sent);
    return sent;
  }
}
