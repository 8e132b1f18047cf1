import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, type Scenario } from './compare.js';
import { residentMebibytes, threadMicros } from './cpu.js';
import { roomOf } from './rooms.js';
import { type System, startLoad, startTollgate, startUpstream } from './systems.js';

const SCENARIOS: readonly Scenario[] = [
  { name: 'small JSON, saturated', requests: 6000, connections: 16, stream: false, prompt: 150 },
  { name: '200 KB body', requests: 600, connections: 4, stream: false, prompt: 200_000 },
];
/** Often enough that rooms of a few microseconds show; costs some percent itself. */
const SAMPLE_MICROS = 500;

/** What V8 writes with `--cpu-prof`; times in microseconds of the monotonic clock. */
interface CpuProfile {
  readonly startTime: number;
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Window {
  readonly scenario: Scenario;
  readonly from: number;
  readonly to: number;
  /** CPU by thread name, microseconds per request. */
  readonly threads: ReadonlyMap<string, number>;
}

/**
 * `npm run bench -- profile`: where the service's time goes, by thread and by room of the source, from V8's sampling profiler. `--top`
 * adds the functions with the most time of their own.
 */
export async function measureProfile({ share, top }: { readonly share: number; readonly top: number }): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-profile-'));
  const options = `--cpu-prof --cpu-prof-dir=${directory} --cpu-prof-interval=${SAMPLE_MICROS}`;
  const upstream = await startUpstream();
  const load = startLoad();
  const system = await startTollgate(upstream.port, { environment: { NODE_OPTIONS: options } });
  const pid = system.parts()['service'] ?? 0;
  const windows: Window[] = [];
  try {
    for (const each of SCENARIOS) {
      const scenario = { ...each, requests: Math.ceil(each.requests * share) };
      await measure(load, system, { ...scenario, requests: Math.ceil(scenario.requests / 2) });
      windows.push(await observe({ load, system, pid }, scenario));
    }
    console.log(`\nMemory of the service: ${residentMebibytes(pid).toFixed(0)} MiB.`);
  } finally {
    await system.stop();
    load.stop();
    upstream.stop();
  }
  const profiles = readdirSync(directory).filter((name) => name.split('.')[3] === String(pid));
  for (const window of windows) {
    printThreads(window);
    for (const name of profiles.sort()) {
      const profile = JSON.parse(readFileSync(join(directory, name), 'utf8')) as CpuProfile;
      printRooms(Number(name.split('.')[4]), selfTimes(profile, window), { window, top });
    }
  }
  rmSync(directory, { recursive: true });
}

interface Running {
  readonly load: ReturnType<typeof startLoad>;
  readonly system: System;
  readonly pid: number;
}

async function observe({ load, system, pid }: Running, scenario: Scenario): Promise<Window> {
  const before = threadMicros(pid);
  const from = Number(process.hrtime.bigint() / 1000n);
  await measure(load, system, scenario);
  const to = Number(process.hrtime.bigint() / 1000n);
  const threads = new Map<string, number>();
  for (const [name, micros] of threadMicros(pid)) {
    threads.set(name, (micros - (before.get(name) ?? 0)) / scenario.requests);
  }
  return { scenario, from, to, threads };
}

function printThreads({ scenario, threads }: Window): void {
  console.log(`\n### ${scenario.name} (${scenario.requests} requests)\n\n| thread | CPU/request |\n|---|---|`);
  const sorted = [...threads].sort((left, right) => right[1] - left[1]);
  for (const [name, micros] of sorted) if (micros >= 0.5) console.log(`| ${name} | ${micros.toFixed(0)} µs |`);
}

/** Samples by the function they met, in microseconds; what has no source of its own counts for its caller. */
interface SelfTime {
  readonly place: string;
  readonly room: string;
  micros: number;
}

function selfTimes(profile: CpuProfile, { from, to }: Window): SelfTime[] {
  const parents = new Map<number, ProfileNode>();
  const nodes = new Map<number, ProfileNode>();
  for (const node of profile.nodes) {
    nodes.set(node.id, node);
    for (const child of node.children ?? []) parents.set(child, node);
  }
  const times = new Map<string, SelfTime>();
  let now = profile.startTime;
  for (const [at, id] of profile.samples.entries()) {
    now += profile.timeDeltas[at] ?? 0;
    if (now < from || now > to) continue;
    // A sample stands for the time until the next one.
    const micros = profile.timeDeltas[at + 1] ?? 0;
    const node = nodes.get(id);
    if (!node) continue;
    const room = roomOf(node.callFrame, () => ancestorsOf(node, parents));
    const { functionName, url, lineNumber } = node.callFrame;
    const place = `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
    const known = times.get(`${place} ${room}`);
    if (known) known.micros += micros;
    else times.set(`${place} ${room}`, { place, room, micros });
  }
  return [...times.values()];
}

function* ancestorsOf(
  node: ProfileNode,
  parents: ReadonlyMap<number, ProfileNode>,
): Iterable<ProfileNode['callFrame']> {
  for (let at = parents.get(node.id); at; at = parents.get(at.id)) yield at.callFrame;
}

interface Printing {
  readonly window: Window;
  readonly top: number;
}

function printRooms(thread: number, times: readonly SelfTime[], { window, top }: Printing): void {
  const rooms = new Map<string, number>();
  for (const { room, micros } of times) rooms.set(room, (rooms.get(room) ?? 0) + micros);
  const idle = rooms.get('idle') ?? 0;
  rooms.delete('idle');
  const busy = [...rooms.values()].reduce((sum, micros) => sum + micros, 0);
  const { requests } = window.scenario;
  // A thread that sleeps has nothing to say.
  if (busy / requests < 1) return;
  const name = thread === 0 ? 'main thread' : `worker ${thread}`;
  console.log(`\n${name}: busy ${((100 * busy) / (busy + idle)).toFixed(0)} %, ${window.scenario.name}\n`);
  console.log('| room | share | per request (wall) |\n|---|---|---|');
  for (const [room, micros] of [...rooms].sort((left, right) => right[1] - left[1])) {
    if (micros / busy < 0.002) continue;
    console.log(`| ${room} | ${((100 * micros) / busy).toFixed(1)} % | ${(micros / requests).toFixed(1)} µs |`);
  }
  if (top === 0) return;
  console.log('\n| function | room | per request (wall) |\n|---|---|---|');
  const sorted = times.filter(({ room }) => room !== 'idle').sort((left, right) => right.micros - left.micros);
  for (const { place, room, micros } of sorted.slice(0, top)) {
    console.log(`| ${place} | ${room} | ${(micros / requests).toFixed(1)} µs |`);
  }
}
