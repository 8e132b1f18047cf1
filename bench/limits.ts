import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { Amounts, Counter, CounterStore, CounterWindow, Dimension } from '../src/store/counter-store.js';
import { createMemoryCounters } from '../src/store/memory/memory-counters.js';
import { connectRedisCounters, type RedisCounters } from '../src/store/redis/redis-counters.js';
import { windowText } from '../src/store/windows/window-clock.js';
import { keep } from './children.js';
import { cpuMicros, median } from './cpu.js';

const KEYS = 10_000;
const AMOUNTS: Amounts = { requests: 1, input_tokens: 900, output_tokens: 100, tokens: 1000, cost: 12_345_678 };
const MINUTE: CounterWindow = { kind: 'duration', ms: 60_000, sliding: false };
const SHAPES: Readonly<Record<string, readonly (readonly [Dimension, CounterWindow])[]>> = {
  '3 fixed (requests and tokens a minute, cost a month)': [
    ['requests', MINUTE],
    ['tokens', MINUTE],
    ['cost', { kind: 'calendar', unit: 'month', timeZone: 'Europe/Berlin' }],
  ],
  '2 rolling, 1 concurrent': [
    ['requests', { ...MINUTE, sliding: true }],
    ['tokens', { ...MINUTE, sliding: true }],
    ['concurrent', { kind: 'total' }],
  ],
};

/**
 * `npm run bench -- limits`: what a hold and its settlement cost, each on three counters of one of 10,000 gateway keys. Redis is
 * the one that the tests use (`npm run setup`), on a Unix socket; without it only memory is measured.
 */
export async function measureLimits(requests: number): Promise<void> {
  console.log(`\n### Limits: hold and settle, ${KEYS} keys (${requests} requests)\n`);
  console.log(
    '| store | counters | at once | service CPU | server CPU | p50 | requests/s |\n|---|---|---|---|---|---|---|',
  );
  for (const [name, shape] of Object.entries(SHAPES)) await measureMemory(name, countersOf(shape), requests);
  const redis = await startRedis();
  if (redis === null) return;
  try {
    for (const [name, shape] of Object.entries(SHAPES)) {
      for (const atOnce of [1, 64]) {
        const store = await connected(redis.socket);
        const share = Math.ceil(requests / (atOnce === 1 ? 20 : 4));
        await run(store, countersOf(shape), { requests: share, atOnce });
        await measureRedis(`redis | ${name}`, {
          store,
          pid: redis.pid,
          counters: countersOf(shape),
          requests: share,
          atOnce,
        });
        await store.close();
      }
    }
  } finally {
    redis.stop();
  }
}

type CountersByKey = readonly (readonly Counter[])[];

function countersOf(shape: readonly (readonly [Dimension, CounterWindow])[]): CountersByKey {
  return Array.from({ length: KEYS }, (_, index) =>
    shape.map(([of, window]) => ({
      key: `limit|${of}|${windowText(window)}|key.id=key${index}`,
      of,
      window,
      max: 10n ** 18n,
      enforced: true,
    })),
  );
}

let ids = 0;

function request(store: CounterStore, counters: CountersByKey, done: () => void): void {
  ids += 1;
  const id = `request-${ids}`;
  const own = counters[(ids * 7919) % KEYS] ?? [];
  store.hold({ id, counters: own, amounts: AMOUNTS, ttlMs: 600_000 }, (held) => {
    if (held.kind !== 'held') throw new Error(`${held.kind} instead of held`);
    store.settle(id, AMOUNTS, (settled) => {
      if (settled.kind !== 'settled') throw new Error(`${settled.kind} instead of settled`);
      done();
    });
  });
}

/** In rounds, so that one collection of garbage does not decide; five first ones warm up. */
async function measureMemory(name: string, counters: CountersByKey, requests: number): Promise<void> {
  const store = createMemoryCounters({ now: Date.now });
  const rounds: number[] = [];
  const size = Math.ceil(requests / 20);
  for (let round = 0; round < 25; round += 1) {
    const before = cpuMicros(process.pid);
    for (let index = 0; index < size; index += 1) request(store, counters, () => undefined);
    if (round >= 5) rounds.push((cpuMicros(process.pid) - before) / size);
  }
  const each = median(rounds);
  console.log(`| memory | ${name} | 1 | ${each.toFixed(2)} µs | – | – | ${Math.round(1e6 / each)} |`);
}

interface RedisRound {
  readonly store: RedisCounters;
  readonly pid: number;
  readonly counters: CountersByKey;
  readonly requests: number;
  readonly atOnce: number;
}

async function measureRedis(name: string, { store, pid, counters, requests, atOnce }: RedisRound): Promise<void> {
  const before = [cpuMicros(process.pid), cpuMicros(pid)] as const;
  const begun = performance.now();
  const times = await run(store, counters, { requests, atOnce });
  const seconds = (performance.now() - begun) / 1000;
  const spent = [cpuMicros(process.pid) - before[0], cpuMicros(pid) - before[1]].map(
    (micros) => `${(micros / requests).toFixed(0)} µs`,
  );
  const p50 = `${median(times).toFixed(2)} ms`;
  console.log(`| ${name} | ${atOnce} | ${spent.join(' | ')} | ${p50} | ${Math.round(requests / seconds)} |`);
}

/** Milliseconds of each request. */
function run(
  store: CounterStore,
  counters: CountersByKey,
  { requests, atOnce }: { readonly requests: number; readonly atOnce: number },
): Promise<readonly number[]> {
  const times: number[] = [];
  let left = requests;
  return new Promise((resolve) => {
    const next = (): void => {
      if (left === 0) return;
      left -= 1;
      const begun = performance.now();
      request(store, counters, () => {
        times.push(performance.now() - begun);
        if (times.length === requests) resolve(times);
        else next();
      });
    };
    for (let index = 0; index < atOnce; index += 1) next();
  });
}

function connected(socket: string): Promise<RedisCounters> {
  return new Promise((resolve, reject) => {
    ids += 1;
    const store = connectRedisCounters({
      url: socket,
      cluster: false,
      prefix: `bench${ids}`,
      timeoutMs: 10_000,
      processId: 'bench',
      onProblem: (problem) => problem && reject(problem),
      onEmpty: () =>
        store.seed({ source: 'bench', used: new Map(), holds: new Map() }, (error) =>
          error ? reject(error) : resolve(store),
        ),
    });
  });
}

interface BenchRedis {
  readonly socket: string;
  readonly url: string;
  readonly pid: number;
  stop(): void;
}

interface TestServers {
  findServer(kind: 'redis'): string | null;
}

/** The Redis that the tests use, on a Unix socket; null where there is none. */
export async function startRedis(): Promise<BenchRedis | null> {
  const script: TestServers = await import(pathToFileURL(join(process.cwd(), 'scripts/test-servers.mjs')).href);
  const binary = script.findServer('redis');
  if (binary === null) return null;
  const directory = mkdtempSync(join(tmpdir(), 'tg-bench-'));
  const socket = join(directory, 'redis.sock');
  const port = await freePort();
  const flags = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--unixsocket',
    socket,
    '--save',
    '',
    '--dir',
    directory,
  ];
  const child = spawn(binary, flags, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.pid !== undefined) keep({ pid: child.pid, directory });
  await ready(child);
  const stop = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  return { socket, url: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('Redis did not start')));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve();
    });
  });
}
