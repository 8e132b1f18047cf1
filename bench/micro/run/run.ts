import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../../cpu.js';
import { table } from '../../e2e/table.js';
import type { Options } from '../../options.js';
import { baseRevision, builtRevision, casesBeside } from './revision.js';
import { Side } from './side.js';

interface Figures {
  /** Microseconds of CPU for each time; medians. */
  readonly base: number | null;
  readonly head: number;
  /** Head / base, of each round. */
  readonly ratios: readonly number[];
  readonly baseBytes: number | null;
  readonly headBytes: number | null;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const CASES = dirname(HERE);

/** `npm run bench`: the hot cases one by one, an older revision against the files that lie here. */
export async function measureMicro(options: Options): Promise<void> {
  const files = readdirSync(CASES).filter((file) => file.endsWith('.js') && file !== 'micro-case.js');
  const taken = options.names.length > 0 ? files.filter((file) => options.names.includes(file.slice(0, -3))) : files;
  if (taken.length === 0)
    throw new Error(`no such case; there are: ${files.map((file) => file.slice(0, -3)).join(' ')}`);
  const revision = baseRevision(options.value('base'));
  if (revision === null)
    console.log('No earlier commit that changed src/ is here to compare with (a shallow clone?).\n');
  const base = revision === null ? null : await openBase(revision, taken);
  const head = await Side.start(CASES, taken);
  try {
    const found = await measureAll(head, base?.side ?? null, options);
    report(found, { revision, head, base: base?.side ?? null });
    const file = options.value('json');
    if (file !== null)
      writeFileSync(file, `${JSON.stringify({ base: revision, ...Object.fromEntries(found) }, null, 2)}\n`);
    if (Object.keys(head.missing).length > 0) process.exitCode = 1;
  } finally {
    head.stop();
    base?.close();
  }
}

async function openBase(revision: string, files: readonly string[]): Promise<{ side: Side; close(): void }> {
  process.stderr.write(`bench: base is ${described(revision)}\n`);
  const packages = resolve('node_modules');
  const folder = builtRevision(revision, join(packages, 'typescript/bin/tsc'), packages);
  const cases = casesBeside(folder, dirname(CASES));
  const present = files.filter((file) => existsSync(join(cases.folder, file)));
  const side = await Side.start(cases.folder, present);
  return {
    side,
    close: () => {
      side.stop();
      cases.remove();
    },
  };
}

async function measureAll(head: Side, base: Side | null, options: Options): Promise<Map<string, Figures>> {
  const rounds = options.rounds ?? (options.short ? 5 : 15);
  const found = new Map<string, Figures>();
  for (const name of head.names) {
    process.stderr.write(`bench: ${name}\n`);
    const against = base?.names.includes(name) ? base : null;
    found.set(name, await measureCase(name, { head, base: against, rounds, ...(options.short ? SHORT : FULL) }));
  }
  return found;
}

interface Pair {
  readonly head: Side;
  readonly base: Side | null;
  readonly rounds: number;
  /** Of one sample. */
  readonly ms: number;
  /** Of the usual way to warm up. */
  readonly share: number;
}

const FULL = { ms: 100, share: 1 };
const SHORT = { ms: 20, share: 0.1 };

/** Both sides in turn, each first every other round. */
async function measureCase(name: string, { head, base, rounds, ms, share }: Pair): Promise<Figures> {
  const sides = base === null ? [head] : [base, head];
  await base?.ask({ kind: 'warm', name, ms, share });
  const warm = await head.ask({ kind: 'warm', name, ms, share });
  if (warm.kind !== 'warm') throw new Error(`${name}: ${warm.kind === 'failed' ? warm.message : 'no answer'}`);
  const micros = new Map<Side, number[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const told = await side.ask({ kind: 'sample', name, times: warm.times });
      if (told.kind !== 'sample') throw new Error(`${name}: ${told.kind === 'failed' ? told.message : 'no answer'}`);
      micros.get(side)?.push(told.micros);
    }
  }
  const [ofHead, ofBase] = [micros.get(head) ?? [], base === null ? [] : (micros.get(base) ?? [])];
  return {
    base: base === null ? null : median(ofBase),
    head: median(ofHead),
    ratios: ofBase.map((each, round) => (ofHead[round] ?? Number.NaN) / each),
    baseBytes: base === null ? null : await bytesOf(base, name),
    headBytes: await bytesOf(head, name),
  };
}

async function bytesOf(side: Side, name: string): Promise<number | null> {
  const told = await side.ask({ kind: 'bytes', name });
  return told.kind === 'bytes' ? told.bytes : null;
}

interface Reported {
  readonly revision: string | null;
  readonly head: Side;
  readonly base: Side | null;
}

function report(found: ReadonlyMap<string, Figures>, { revision, head, base }: Reported): void {
  const rows = [...found].map(([name, figures]) => [
    name,
    figures.base === null ? (base === null ? '–' : 'not in base') : `${micros(figures.base)}`,
    micros(figures.head),
    ratio(figures.ratios),
    bytes(figures.baseBytes),
    bytes(figures.headBytes),
  ]);
  if (revision !== null)
    console.log(`Base: ${described(revision)}. Head: the files here. CPU and allocated bytes of one time.\n`);
  console.log(table(['case', 'base', 'head', 'head / base (quartiles)', 'base, bytes', 'head, bytes'], rows));
  for (const [what, why] of Object.entries(head.missing)) console.log(`\n${what} fails: ${why}`);
  for (const [what, why] of Object.entries(base?.missing ?? {})) console.log(`\n${what} does not run in base: ${why}`);
}

function micros(value: number): string {
  return value < 1 ? `${(value * 1000).toFixed(0)} ns` : `${value.toFixed(value < 10 ? 2 : 1)} µs`;
}

function bytes(value: number | null): string {
  return value === null ? '–' : Math.round(value).toLocaleString('en');
}

function ratio(ratios: readonly number[]): string {
  if (ratios.length === 0) return '–';
  const sorted = [...ratios].sort((left, right) => left - right);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(2);
  return `**${median(sorted).toFixed(2)}** (${at(0.25)}–${at(0.75)})`;
}

function described(revision: string): string {
  try {
    return execFileSync('git', ['log', '-1', '--format=%h (%s)', revision], { encoding: 'utf8' }).trim();
  } catch {
    return revision;
  }
}
