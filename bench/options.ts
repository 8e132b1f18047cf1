/** What stands behind `npm run bench --`. */
export interface Options {
  /** Names of scenarios or cases; empty = all. */
  readonly names: readonly string[];
  /** A look instead of a measurement: few rounds, few requests. */
  readonly short: boolean;
  /** `--rounds N`; null if not given. */
  readonly rounds: number | null;
  /** Value of `--NAME`, or null. */
  value(name: string): string | null;
  has(name: string): boolean;
}

/** Flags that take a value. */
const VALUED = new Set(['rounds', 'json', 'base', 'requests', 'port']);

/** @throws Error if a flag has no value, or `--rounds` none that counts */
export function readOptions(words: readonly string[]): Options {
  const names: string[] = [];
  const flags = new Map<string, string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('--')) {
      names.push(word);
      continue;
    }
    const [name = '', given] = word.slice(2).split('=', 2);
    const next = VALUED.has(name) && given === undefined ? words[++at] : given;
    if (VALUED.has(name) && next === undefined) throw new Error(`--${name} needs a value`);
    flags.set(name, next ?? '');
  }
  const rounds = flags.has('rounds') ? Number(flags.get('rounds')) : null;
  if (rounds !== null && !(rounds >= 1)) throw new Error('--rounds needs a number from 1 on');
  return {
    names,
    short: flags.has('short'),
    rounds,
    value: (name) => flags.get(name) ?? null,
    has: (name) => flags.has(name),
  };
}
