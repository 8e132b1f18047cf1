import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findEnvoy } from '../src/envoy/binary.js';
import { fileOf, keep, messageOf, START_MS, stopChild } from './children.js';
import type { Load, LoadResult } from './load/load.js';
import { plainBootstrap } from './plain-bootstrap.js';

export const KEY = 'sk-bench-0123456789abcdefghijklmnop';

/** A gateway under test. */
export interface System {
  readonly name: string;
  readonly port: number;
  /** Prefix before the provider's model name. */
  readonly prefix: string;
  /** What it asks for beside the key, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Pids by part, whose CPU counts, with that of their children. */
  readonly parts: () => Readonly<Record<string, number>>;
  /** Its page of metrics, where it has one. */
  metrics?(): Promise<string>;
  stop(): Promise<void>;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function startUpstream(): Promise<{ port: number; stop(): void }> {
  const child = fork(here('./upstream.js'));
  const port = await messageOf<number>(child, 'the provider', START_MS);
  return { port, stop: () => child.kill() };
}

/** The load generator, a process of its own so that its work is nobody's. */
export interface LoadProcess {
  /** Resolves in bounded time, whatever the gateway does. @throws Error if the generator ends before it has a result */
  run(load: Load): Promise<LoadResult>;
  stop(): void;
}

export function startLoad(): LoadProcess {
  const child = fork(here('./load.js'));
  return {
    run(load) {
      // One that has ended already says so below.
      child.send(load, () => undefined);
      return messageOf(child, 'the load generator');
    },
    stop: () => child.kill(),
  };
}

export function envoyPath(): string {
  const found = findEnvoy('auto', process.env);
  if ('problem' in found) throw new Error(found.problem);
  return found.path;
}

/** Sections of the config beyond the one provider `p`. */
export interface TollgateSections {
  readonly providers?: Readonly<Record<string, object>>;
  readonly models?: Readonly<Record<string, object>>;
  readonly keys?: readonly object[];
  readonly limits?: readonly object[];
  readonly store?: object;
  /** Service processes; not given: one. */
  readonly workers?: number;
  /** Environment of the gateway, beyond ours. */
  readonly environment?: Readonly<Record<string, string>>;
  /** For the table; `Envoy + Tollgate` if not given. */
  readonly name?: string;
}

/** Limits of every kind that cover each request and refuse none: together with what is always on, everything is on. */
export const EVERYTHING: TollgateSections = {
  limits: [
    {
      name: 'rate',
      per: ['key.id'],
      requests: { max: 1e9, window: '1m' },
      tokens: { max: 1e12, window: '1m' },
      concurrent: 100_000,
    },
    { name: 'budget', when: 'key.labels.team == "bench"', cost: { max: 1_000_000, window: 'month' } },
  ],
};

/** Tollgate with everything on but limits: keys, metering, prices, ledger, records, metrics, access log. */
export async function startTollgate(upstream: number, more: TollgateSections = {}): Promise<System> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-bench-'));
  const free = '127.0.0.1:0';
  const config = {
    runtime_directory: 'run',
    gateway: { listen: free, workers: more.workers ?? 1 },
    admin: { listen: free },
    envoy: { admin: free, concurrency: 1 },
    ledger: { directory: 'data/ledger' },
    providers: {
      p: { kind: 'openai-compatible', base_url: `http://127.0.0.1:${upstream}/v1`, credentials: 'sk-provider' },
      ...more.providers,
    },
    ...(more.models ? { models: more.models } : {}),
    ...(more.limits ? { limits: more.limits } : {}),
    ...(more.store ? { store: more.store } : {}),
    keys: [{ id: 'bench', secret: KEY, labels: { team: 'bench' } }, ...(more.keys ?? [])],
    prices: [{ model: '*', input: 1, output: 2 }],
  };
  const file = join(directory, 'tollgate.yaml');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(process.execPath, [here('../src/main.js'), 'up', '--config', file], {
    cwd: directory,
    env: { ...process.env, ENVOY_BIN: envoyPath(), ...more.environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (child.pid !== undefined) keep({ pid: child.pid, directory });
  const addresses = join(directory, 'run', 'addresses.json');
  await fileOf(child, addresses, 'Tollgate');
  await wait(200);
  const { gateway, admin } = JSON.parse(readFileSync(addresses, 'utf8')) as { gateway: string; admin: string };
  const pid = (name: string): number => Number(readFileSync(join(directory, 'run', `${name}.pid`), 'utf8'));
  const parts: System['parts'] = () => ({
    envoy: pid('envoy'),
    ...Object.fromEntries(Array.from({ length: more.workers ?? 1 }, (_, at) => [workerName(at), pid(workerName(at))])),
  });
  // They outlive a supervisor that is killed.
  for (const part of Object.values(parts())) keep({ pid: part });
  return {
    name: more.name ?? 'Envoy + Tollgate',
    port: Number(gateway.split(':').at(-1)),
    prefix: 'p/',
    parts,
    metrics: async () => (await fetch(`http://${admin}/metrics`)).text(),
    stop: () => stopChild(child),
  };
}

/** The same Envoy with a router and nothing of ours; requests spread over `clusters` that all lead to the same upstream. */
export async function startPlainEnvoy(upstream: number, clusters = 1): Promise<System> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-plain-'));
  const bootstrap = join(directory, 'envoy.json');
  const adminFile = join(directory, 'admin');
  writeFileSync(bootstrap, JSON.stringify(plainBootstrap(upstream, clusters, join(directory, 'access.jsonl'))));
  const flags = [
    '-c',
    bootstrap,
    '--concurrency',
    '1',
    '--use-dynamic-base-id',
    '-l',
    'error',
    '--admin-address-path',
    adminFile,
  ];
  const child = spawn(envoyPath(), flags, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (child.pid !== undefined) keep({ pid: child.pid, directory });
  await fileOf(child, adminFile, 'plain Envoy');
  await wait(300);
  const answer = await fetch(`http://${readFileSync(adminFile, 'utf8').trim()}/listeners?format=json`);
  const listeners = (await answer.json()) as {
    listener_statuses: { local_address: { socket_address: { port_value: number } } }[];
  };
  const port = listeners.listener_statuses[0]?.local_address.socket_address.port_value ?? 0;
  const name = clusters === 1 ? 'plain Envoy' : `plain Envoy, ${clusters} clusters`;
  return { name, port, prefix: '', parts: () => ({ envoy: child.pid ?? 0 }), stop: () => stopChild(child) };
}

function workerName(index: number): string {
  return index === 0 ? 'service' : `service-worker-${index}`;
}
