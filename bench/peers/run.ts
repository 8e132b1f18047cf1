import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Options } from '../options.js';
import {
  EVERYTHING,
  envoyPath,
  type System,
  startLoad,
  startPlainEnvoy,
  startTollgate,
  startUpstream,
} from '../systems.js';
import { type Contender, cpuSoFar, memoryOf } from './contender.js';
import { installPeers } from './install.js';
import { isInstalled, LITELLM, NotInstalled, PORTKEY } from './places.js';
import { askBoth, prove } from './prove.js';
import { printTable, printTargets } from './report.js';
import { type Entry, runRounds, type Samples, warmUp } from './rounds.js';
import { startLitellm } from './start-litellm.js';
import { startPortkey } from './start-portkey.js';
import { JSON_SATURATED, STREAM_SATURATED, TRAFFIC, type Traffic } from './traffic.js';

const IDLE_MS = 4000;

/**
 * `npm run bench:peers`: plain Envoy, Tollgate with everything on, and other gateways beside it, all before the same
 * upstream under the same load, rounds interleaved. Prints Markdown; takes five minutes, with `--short` under two.
 * `npm run bench:peers -- install` installs the others first, in a folder of the user's cache.
 * @throws Error if a peer does not start, answers wrongly or fails a request
 */
export async function measurePeers(options: Options): Promise<void> {
  try {
    if (options.names.includes('install')) await installPeers();
    else await compareAll(options);
  } catch (problem) {
    if (!(problem instanceof NotInstalled)) throw problem;
    console.error(problem.message);
    process.exitCode = 1;
  }
}

async function compareAll(options: Options): Promise<void> {
  for (const place of [PORTKEY, LITELLM]) {
    if (!isInstalled(place)) throw new NotInstalled(`${place.title} is not installed: npm run bench:peers -- install`);
  }
  const upstream = await startUpstream();
  const load = startLoad();
  const started: Contender[] = [];
  try {
    printHead();
    const field = await startAll(upstream.port, started);
    const fresh = new Map(started.map((contender) => [contender, memoryOf(contender.system)]));
    await runAll(load, [field.direct, ...started], { field, options });
    await printAtRest(started, fresh);
  } finally {
    await Promise.all(started.map(({ system }) => system.stop()));
    load.stop();
    upstream.stop();
  }
}

interface Work {
  readonly field: Field;
  readonly options: Options;
}

async function runAll(
  load: ReturnType<typeof startLoad>,
  contenders: readonly Contender[],
  { field, options }: Work,
): Promise<void> {
  const { short } = options;
  const entries: Entry[] = [];
  for (const contender of contenders) {
    progress(`warming up: ${contender.system.name}`);
    entries.push({ contender, pace: await warmUp(load, contender, contender.warmUp * (short ? 0.3 : 1)) });
  }
  const results = new Map<Traffic, Samples>();
  for (const traffic of TRAFFIC) {
    progress(traffic.name);
    const timed = { ...traffic, seconds: traffic.seconds * (short ? 0.5 : 1) };
    const samples = await runRounds(load, entries, timed, options.rounds ?? (short ? 2 : traffic.rounds));
    results.set(traffic, samples);
    printTable(traffic, samples, field);
  }
  const none: Samples = new Map();
  const [json, stream] = [results.get(JSON_SATURATED) ?? none, results.get(STREAM_SATURATED) ?? none];
  printTargets(field.targets, json, stream, field.ours);
}

interface Field {
  readonly direct: Contender;
  readonly ours: Contender;
  readonly targets: readonly { readonly peer: Contender; readonly json: number; readonly stream: number }[];
}

/** Starts and proves each; `started` has those that are to be stopped, whatever happens. */
async function startAll(upstream: number, started: Contender[]): Promise<Field> {
  const direct = contender(directly(upstream), { refusals: [], warmUp: 1 });
  const expected = await askBoth(direct.system);
  const join = async (starting: Promise<Contender>): Promise<Contender> => {
    const one = await starting;
    started.push(one);
    progress(`${one.system.name} runs`);
    await prove(one, expected);
    return one;
  };
  const plain = startPlainEnvoy(upstream).then((system) => contender(system, { refusals: [], warmUp: 1 }));
  await join(plain);
  // Who sends one wrong key after the other is told to slow down.
  const tollgate = startTollgate(upstream, EVERYTHING).then((system) =>
    contender({ ...system, name: 'Tollgate' }, { refusals: [401, 429], warmUp: 10 }),
  );
  const ours = await join(tollgate);
  const portkey = [await join(startPortkey(upstream, 'ours')), await join(startPortkey(upstream, 'its own'))];
  const litellm = await join(startLitellm(upstream));
  return {
    direct,
    ours,
    targets: [...portkey.map((peer) => ({ peer, json: 4, stream: 5 })), { peer: litellm, json: 40, stream: 80 }],
  };
}

function contender(system: System, { refusals, warmUp }: Pick<Contender, 'refusals' | 'warmUp'>): Contender {
  return { system, refusals, warmUp, quick: true };
}

function directly(port: number): System {
  return { name: 'directly', port, prefix: '', parts: () => ({}), stop: async () => undefined };
}

function printHead(): void {
  const version = execFileSync(envoyPath(), ['--version'], { encoding: 'utf8' });
  const envoy = /\/(\d+\.\d+\.\d+)\//.exec(version)?.[1] ?? 'unknown';
  const [processor] = cpus();
  console.log(
    [
      `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC · ${cpus().length} cores (${processor?.model.trim()}), Linux ${release()},`,
      `load ${(loadavg()[0] ?? 0).toFixed(1)} before · Envoy ${envoy}, one worker · Tollgate on Node ${process.versions.node} ·`,
      `${PORTKEY.title} (on Node ${process.versions.node} and on Node 20) · ${LITELLM.title}, one worker`,
    ].join('\n'),
  );
}

/** Memory, and what each does when nobody asks: at a low rate that is a large part of the CPU per request. */
async function printAtRest(started: readonly Contender[], fresh: ReadonlyMap<Contender, number>): Promise<void> {
  const before = started.map(({ system }) => cpuSoFar(system));
  await wait(IDLE_MS);
  const idle = started.map(({ system }, index) => (cpuSoFar(system) - (before[index] ?? 0)) / IDLE_MS);
  console.log('\n### Memory of all processes, and CPU without a request\n');
  console.log('| system | after start | at the end | CPU per second |\n|---|---|---|---|');
  for (const [index, one] of started.entries()) {
    const cells = [fresh.get(one) ?? 0, memoryOf(one.system)].map((mebibytes) => `${mebibytes.toFixed(0)} MiB`);
    // Microseconds per millisecond are milliseconds per second.
    console.log(`| ${one.system.name} | ${cells.join(' | ')} | ${(idle[index] ?? 0).toFixed(1)} ms |`);
  }
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
