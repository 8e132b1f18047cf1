import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MakeCases, MicroCase } from '../micro-case.js';
import type { Ask, Told } from './protocol.js';

/** Runs the cases of the files in argv against the sources that lie beside them. Started with `--expose-gc`. */

const cases = new Map<string, MicroCase>();

function tell(told: Told): void {
  process.send?.(told);
}

function messageOf(problem: unknown): string {
  // Whoever reads it does not care where the revision was built.
  return (problem instanceof Error ? problem.message : String(problem)).replaceAll(/\S*\/dist\//g, '');
}

async function load(files: readonly string[]): Promise<void> {
  const missing: Record<string, string> = {};
  const tried = async (what: string, attempt: () => Promise<void>): Promise<void> => {
    try {
      await attempt();
    } catch (problem) {
      missing[what] = messageOf(problem);
    }
  };
  for (const file of files) {
    await tried(basename(file), async () => {
      const { cases: make } = (await import(pathToFileURL(file).href)) as { cases: MakeCases };
      for (const each of await make()) {
        await tried(each.name, async () => {
          await each.run(1);
          cases.set(each.name, each);
        });
      }
    });
  }
  tell({ kind: 'ready', names: [...cases.keys()], missing });
}

async function answer(ask: Ask): Promise<Told> {
  const found = cases.get(ask.name);
  if (found === undefined) return { kind: 'failed', message: 'no such case' };
  if (ask.kind === 'sample') return { kind: 'sample', micros: await sample(found, ask.times) };
  if (ask.kind === 'bytes') return { kind: 'bytes', bytes: await bytesOf(found) };
  return { kind: 'warm', times: await warm(found, ask) };
}

async function sample(found: MicroCase, times: number): Promise<number> {
  const before = process.cpuUsage();
  await found.run(times);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

const WARM_MS = 200;

/** Runs until its code is compiled, then doubles until one run takes `ms`. @returns how many times that were */
async function warm(found: MicroCase, { ms, share }: { readonly ms: number; readonly share: number }): Promise<number> {
  if (found.warmUp !== undefined) await found.run(Math.ceil(found.warmUp * share));
  const least = found.warmUp === undefined ? WARM_MS : 0;
  for (let times = 1, all = 0; ; times *= 2) {
    const begun = performance.now();
    await found.run(times);
    const taken = performance.now() - begun;
    all += taken;
    if (taken >= ms && all >= least) return Math.max(1, Math.round((times * ms) / taken));
  }
}

/** Enough to be seen above chance, and less than the young generation holds, so that nothing is collected meanwhile. */
const SEEN_BYTES = 4 << 20;
const LEAST_TIMES = 8;
const MOST_TIMES = 1 << 15;
const TRIES = 5;

/** Several tries, because memory that is given back in between makes one worthless. */
async function bytesOf(found: MicroCase): Promise<number | null> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const bytes = await tryBytesOf(found);
    if (bytes !== null) return bytes;
  }
  return null;
}

async function tryBytesOf(found: MicroCase): Promise<number | null> {
  for (let times = LEAST_TIMES; times <= MOST_TIMES; times *= 2) {
    globalThis.gc?.();
    const before = process.memoryUsage();
    await found.run(times);
    const after = process.memoryUsage();
    const taken = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    if (taken < 0) return null;
    if (taken >= SEEN_BYTES || times === MOST_TIMES) return taken / times;
  }
  return null;
}

process.on('message', (ask: Ask) => {
  answer(ask).then(tell, (problem: unknown) => tell({ kind: 'failed', message: messageOf(problem) }));
});
process.on('disconnect', () => process.exit());
await load(process.argv.slice(2));
