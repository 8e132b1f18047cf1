import { createHash } from 'node:crypto';

/** The bound of OpenAI, Google and AWS; Anthropic takes 128, and names of MCP tools use them. */
const LONGEST = 64;
const HASH = 8;

/** Names of tools within everybody's bound, and the way back. */
export class ToolNames {
  readonly #full = new Map<string, string>();

  /** The same for the same name, in every request. */
  shortened(name: string): string {
    if (name.length <= LONGEST) return name;
    const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH);
    const short = `${name.slice(0, LONGEST - HASH - 1)}_${hash}`;
    this.#full.set(short, name);
    return short;
  }

  /** The client's name for each that was shortened; grows with it. */
  get full(): ReadonlyMap<string, string> {
    return this.#full;
  }
}
