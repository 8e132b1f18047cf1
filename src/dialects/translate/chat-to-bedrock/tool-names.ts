const ALLOWED = /^[a-zA-Z0-9_-]{1,64}$/;
const LONGEST = 64;

/**
 * Names as Bedrock takes them (`[a-zA-Z0-9_-]`, at most 64), and back. One name always becomes the same other name in a request,
 * and two names never the same.
 */
export class ToolNames {
  readonly #sent = new Map<string, string>();
  readonly #client = new Map<string, string>();

  /** @param known names of the client that may not be taken by changed ones, wherever they come up first */
  constructor(known: Iterable<string>) {
    for (const name of known) if (ALLOWED.test(name)) this.#bind(name, name);
  }

  toProvider(name: string): string {
    const bound = this.#sent.get(name);
    if (bound !== undefined) return bound;
    const clean = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, LONGEST) || '_';
    return this.#bind(name, this.#free(clean));
  }

  /** The client's name for each that the provider was told of; grows with it. */
  get toClient(): ReadonlyMap<string, string> {
    return this.#client;
  }

  /** A name of ours that no tool of the client has. */
  reserve(wish: string): string {
    const name = this.#free(wish);
    this.#client.set(name, name);
    return name;
  }

  #bind(client: string, sent: string): string {
    this.#sent.set(client, sent);
    this.#client.set(sent, client);
    return sent;
  }

  #free(wish: string): string {
    let name = wish;
    for (let number = 2; this.#client.has(name); number += 1) {
      const suffix = `_${number}`;
      name = wish.slice(0, LONGEST - suffix.length) + suffix;
    }
    return name;
  }
}
