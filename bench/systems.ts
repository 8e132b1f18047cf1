import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findEnvoy } from '../src/envoy/binary.js';
import type { Load, LoadResult } from './load/load.js';

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
  const [port] = (await once(child, 'message')) as [number];
  return { port, stop: () => child.kill() };
}

/** The load generator, a process of its own so that its work is nobody's. */
export interface LoadProcess {
  run(load: Load): Promise<LoadResult>;
  stop(): void;
}

export function startLoad(): LoadProcess {
  const child = fork(here('./load.js'));
  return {
    async run(load) {
      child.send(load);
      const [result] = (await once(child, 'message')) as [LoadResult];
      return result;
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
  const addresses = join(directory, 'run', 'addresses.json');
  while (!existsSync(addresses)) {
    if (child.exitCode !== null) throw new Error(`Tollgate ended with code ${child.exitCode} before it listened`);
    await wait(50);
  }
  await wait(200);
  const { gateway, admin } = JSON.parse(readFileSync(addresses, 'utf8')) as { gateway: string; admin: string };
  const pid = (name: string): number => Number(readFileSync(join(directory, 'run', `${name}.pid`), 'utf8'));
  return {
    name: more.name ?? 'Envoy + Tollgate',
    port: Number(gateway.split(':').at(-1)),
    prefix: 'p/',
    parts: () => ({
      envoy: pid('envoy'),
      ...Object.fromEntries(
        Array.from({ length: more.workers ?? 1 }, (_, at) => [workerName(at), pid(workerName(at))]),
      ),
    }),
    metrics: async () => (await fetch(`http://${admin}/metrics`)).text(),
    stop: () => ended(child),
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
  while (!existsSync(adminFile)) await wait(50);
  await wait(300);
  const answer = await fetch(`http://${readFileSync(adminFile, 'utf8').trim()}/listeners?format=json`);
  const listeners = (await answer.json()) as {
    listener_statuses: { local_address: { socket_address: { port_value: number } } }[];
  };
  const port = listeners.listener_statuses[0]?.local_address.socket_address.port_value ?? 0;
  const name = clusters === 1 ? 'plain Envoy' : `plain Envoy, ${clusters} clusters`;
  return { name, port, prefix: '', parts: () => ({ envoy: child.pid ?? 0 }), stop: () => ended(child) };
}

function workerName(index: number): string {
  return index === 0 ? 'service' : `service-worker-${index}`;
}

async function ended(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function plainBootstrap(upstream: number, clusters: number, accessLog: string): object {
  const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
  const at = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const names = Array.from({ length: clusters }, (_, index) => `u${index}`);
  const chosen =
    clusters === 1
      ? { cluster: 'u0' }
      : { weighted_clusters: { clusters: names.map((name) => ({ name, weight: 1 })) } };
  const manager = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'plain',
    access_log: [
      {
        name: 'file',
        typed_config: {
          '@type': type('extensions.access_loggers.file.v3.FileAccessLog'),
          path: accessLog,
          log_format: { json_format: { status: '%RESPONSE_CODE%', ms: '%DURATION%', sent: '%BYTES_SENT%' } },
        },
      },
    ],
    route_config: {
      virtual_hosts: [
        { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { ...chosen, timeout: '0s' } }] },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': type('extensions.filters.http.router.v3.Router') } }],
  };
  return {
    admin: { address: at(0) },
    static_resources: {
      listeners: [
        { name: 'l', address: at(0), filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }] },
      ],
      clusters: names.map((name) => ({
        name,
        type: 'STATIC',
        circuit_breakers: {
          thresholds: [{ max_requests: 100000, max_connections: 100000, max_pending_requests: 100000 }],
        },
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: { address: at(upstream) } }] }],
        },
      })),
    },
  };
}
