import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { askWorker } from '../../../src/app/workers/ask-worker.js';
import { Peers, workerSocketPath } from '../../../src/app/workers/peers.js';
import type { Pulse } from '../../../src/app/workers/pulse.js';
import { openWorkerSocket, type WorkerAnswers, type WorkerSocket } from '../../../src/app/workers/worker-socket.js';
import type { LimitRow } from '../../../src/policy/limits/limiter.js';
import { final } from '../../accounting/samples.js';
import { eventually } from '../../eventually.js';

const ROW: LimitRow = {
  limit: 'l',
  of: 'cost',
  partition: { 'key.id': '5n' },
  state: { used: 2n ** 60n, held: 1n, place: 'l|cost@0', resetsAt: null, resetsInMs: null } as LimitRow['state'],
  max: 2n ** 61n,
  action: 'reject',
};

const PULSE: Pulse = {
  worker: 1,
  generation: 2,
  isStopping: false,
  snapshot: 'abc',
  openHolds: 3,
  reasons: [],
  degraded: ['the store of limits cannot be reached'],
  providers: new Map([['p', { health: 'degraded', ejected_until: null, error_rate: 0.5 }]]),
  alerts: { events: [], stated: 0, estimated: 0 },
};

class Worker implements WorkerAnswers {
  readonly listeners = new Set<(entry: FinalEntry) => void>();
  pulseNow: Partial<Pulse> = {};

  metrics = async (): Promise<string> => 'page';
  limits = async (): Promise<readonly LimitRow[]> => [ROW];
  pulse = async (): Promise<Pulse> => ({ ...PULSE, ...this.pulseNow });
  subscribe(listener: (entry: FinalEntry) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

interface Context {
  teardown(end: () => unknown): void;
}

function crewOf(t: Context, count: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tg-peers-'));
  const gone: number[] = [];
  const peers = new Peers({
    directory,
    generation: 1,
    count,
    onPulse: () => undefined,
    onGone: (worker) => gone.push(worker),
  });
  const sockets: WorkerSocket[] = [];
  const open = async (worker: number, generation: number, answers: WorkerAnswers): Promise<WorkerSocket> => {
    const socket = await openWorkerSocket(workerSocketPath(directory, worker, generation), answers);
    sockets.push(socket);
    return socket;
  };
  t.teardown(async () => {
    peers.stop();
    await Promise.all(sockets.map((socket) => socket.close()));
    rmSync(directory, { recursive: true });
  });
  return { directory, peers, open, gone };
}

const FINE = { reasons: [], degraded: [] };

t.test('readiness is that of all; later a missing one is no reason to send nobody', async (t) => {
  const { peers, open, gone } = crewOf(t, 3);
  const [one, two] = [new Worker(), new Worker()];
  one.pulseNow = { degraded: [] };
  two.pulseNow = { worker: 2, generation: 3, reasons: ['the ledger cannot be written'], degraded: [] };
  await peers.look();
  t.same(peers.readiness(FINE).reasons, ['worker 1 is not ready', 'worker 2 is not ready']);
  const first = await open(1, 2, one);
  await open(2, 3, two);
  await peers.look();
  t.same(peers.readiness(FINE), { reasons: ['worker 2: the ledger cannot be written'], degraded: [] });
  two.pulseNow = { ...two.pulseNow, reasons: [], degraded: ['x'] };
  await first.close();
  await peers.look();
  t.same(gone, [1]);
  t.same(peers.readiness({ reasons: [], degraded: ['x'] }), {
    reasons: [],
    degraded: ['x', 'worker 1 does not answer; the others serve its requests'],
  });
  const retiring = new Worker();
  retiring.pulseNow = { isStopping: true, generation: 4 };
  await open(1, 4, retiring);
  await peers.look();
  t.match(
    peers.readiness(FINE).degraded,
    ['x', /worker 1 does not answer/],
    'one that only finishes its streams serves nobody',
  );
  t.equal(peers.openHolds(), 6, 'holds of all');
});

t.test('answers with big integers, in time or not at all', async (t) => {
  const { directory, peers, open } = crewOf(t, 4);
  await open(1, 2, new Worker());
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(workerSocketPath(directory, 2, 3), resolve));
  t.teardown(() => silent.close());
  const failing = new Worker();
  failing.limits = () => Promise.reject(new Error('no'));
  await open(3, 4, failing);
  writeFileSync(join(directory, 'extproc-9.sock'), '');
  const answers = await peers.ask('limits');
  t.same([...answers], [[2, [ROW]]], 'a silent one and a failing one are left out');
  t.same([...(await peers.ask('metrics')).keys()].sort(), [2, 4]);
  await t.rejects(askWorker(workerSocketPath(directory, 1, 2), 'nothing' as 'limits', 5_000));
});

t.test('the socket of a killed process is removed', async (t) => {
  const { directory, peers } = crewOf(t, 2);
  const path = workerSocketPath(directory, 1, 2);
  // Bound, moved, closed: what a kill leaves behind.
  const server = createServer();
  const bound = join(directory, 'bound');
  await new Promise<void>((resolve) => server.listen(bound, resolve));
  const { renameSync } = await import('node:fs');
  renameSync(bound, path);
  await new Promise((resolve) => server.close(resolve));
  t.same(peers.generations(), [2]);
  await peers.look();
  t.notOk(existsSync(path));
});

t.test('the worst health that a worker has seen', async (t) => {
  const { peers, open } = crewOf(t, 2);
  await open(1, 2, new Worker());
  await peers.look();
  const health = (one: 'healthy' | 'ejected' | 'unknown') =>
    peers.worstHealth('p', { health: one, ejected_until: null, error_rate: null }).health;
  t.same([health('healthy'), health('unknown'), health('ejected')], ['degraded', 'degraded', 'ejected']);
  t.equal(peers.worstHealth('q', { health: 'healthy', ejected_until: null, error_rate: 0 }).health, 'healthy');
});

t.test('finished requests of all, also of workers that start later', async (t) => {
  const { peers, open } = crewOf(t, 3);
  const [one, two] = [new Worker(), new Worker()];
  await open(1, 2, one);
  const seen: string[] = [];
  const stop = peers.subscribe((entry) => seen.push(entry.id));
  await eventually('the first one is followed', () => one.listeners.size === 1);
  for (const listener of one.listeners) listener(final('a'));
  await eventually('its request is seen', () => seen.includes('a'));
  await open(2, 3, two);
  await peers.look();
  await eventually('the second one is followed', () => two.listeners.size === 1);
  for (const listener of two.listeners) listener(final('b'));
  await eventually('its request is seen', () => seen.includes('b'));
  stop();
  await eventually('nobody listens any more', () => one.listeners.size + two.listeners.size === 0);
});
