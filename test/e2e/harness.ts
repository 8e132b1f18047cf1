import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { FinalEntry, LedgerEntry } from '../../src/accounting/ledger/entry.js';
import { decodeLine } from '../../src/accounting/ledger/line.js';
import { exchange } from './client.js';

/** The gateway key that every test gateway knows unless its config names others. */
export const KEY = 'sk-e2e-0123456789abcdefghijklmnop';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const READY_MS = 30_000;
const STOP_MS = 15_000;

export interface GatewayOptions {
  /** YAML text or an object; sections that are not named get test values (free ports, temporary directories). */
  readonly config?: string | Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The part of tap's test object that the harness uses. */
export interface TestContext {
  passing(): boolean;
  comment(...text: string[]): void;
  teardown(end: () => Promise<void> | void): void;
}

/** A finished request as the admin API tells it. */
export type RequestRecord = Omit<FinalEntry, 'type'>;

export interface Gateway {
  /** `http://127.0.0.1:port`, without a path. */
  readonly url: string;
  readonly adminUrl: string;
  /** Envoy's own admin interface. */
  readonly envoyAdminUrl: string;
  readonly key: string;
  /** Temporary directory with config, `run/` and `data/`. */
  readonly directory: string;
  /** Everything that was printed or logged so far, Envoy's log included. */
  logs(): string;
  kill(which: 'service' | 'envoy', signal: NodeJS.Signals): void;
  /** Process id from the pid file. */
  pid(which: 'up' | 'service' | 'envoy'): number;
  /** Waits until `/readyz` is 200. */
  ready(): Promise<void>;
  /** Waits until another service process than `pid` is ready. */
  replaced(pid: number): Promise<void>;
  /** Waits until every hold has its final entry. Rejects after 10 s. */
  settled(): Promise<void>;
  /** Finished requests, newest first. */
  requests(): Promise<RequestRecord[]>;
  /** The record of one request, as soon as it is there. Rejects after 5 s. */
  record(id: string): Promise<RequestRecord>;
  /** Everything in the ledger's segments, oldest first within a segment. */
  ledger(): LedgerEntry[];
  /** Ids of holds that do not have exactly one final entry. */
  unsettled(): string[];
  /** Lines of Envoy's access log. */
  accessLog(): Record<string, unknown>[];
  /** Resolves when a line of the access log fits. Rejects after 5 s. */
  accessLine(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Rows of `GET /api/v1/usage`; `by` is a list of names with commas. */
  usage(by: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Rows of `GET /api/v1/limits`. */
  limits(): Promise<readonly LimitState[]>;
  metrics(): Promise<string>;
  /** Resolves when no request is open in Envoy and no stream of Envoy is open in the service. Rejects after 5 s. */
  idle(): Promise<void>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): ReturnType<typeof exchange>;
  get(path: string, headers?: Readonly<Record<string, string>>): ReturnType<typeof exchange>;
  /** Writes the config file anew, with what the test does not name as at the start; text is written as it is. */
  configure(config: string | Readonly<Record<string, unknown>>): void;
  /** Resolves when a sample of `/metrics` has this value. Rejects after 5 s. */
  metric(name: string, value: number): Promise<void>;
  /** Runs a command of `tollgate` with this gateway's config, in a process of its own. */
  command(...words: readonly string[]): Promise<Ended>;
  stop(): Promise<void>;
}

/** A counter as the admin API shows it. */
export interface LimitState {
  readonly limit: string;
  readonly of: string;
  readonly partition: Readonly<Record<string, string>>;
  readonly used: number;
  readonly held: number;
  readonly max: number;
  readonly ratio: number;
  readonly resets_at: string | null;
  readonly action: string;
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `tollgate up` with a real Envoy, waits until it is ready, and stops it when the test ends. */
export async function startGateway(t: TestContext, options: GatewayOptions = {}): Promise<Gateway> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-'));
  writeFileSync(join(directory, 'tollgate.yaml'), JSON.stringify(completed(options.config ?? {}), null, 2));
  const env = { ...environment(), ENVOY_BIN: envoyBinary(), ...options.env };
  const child = spawn(process.execPath, [MAIN, 'up', '--config', join(directory, 'tollgate.yaml')], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gateway = new RunningGateway(directory, child);
  t.teardown(async () => {
    await gateway.stop();
    if (!t.passing()) t.comment(gateway.logs().slice(-8_000));
    rmSync(directory, { recursive: true, force: true });
  });
  await gateway.started();
  return gateway;
}

/** Fills in what a test does not care about. Sections given by the test win, field by field. */
function completed(config: string | Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = (typeof config === 'string' ? parse(config) : config) as Record<string, Record<string, unknown>>;
  const free = '127.0.0.1:0';
  return {
    runtime_directory: 'run',
    keys: [{ id: 'e2e', secret: KEY }],
    prices: [{ model: '*', input: 1, output: 2 }],
    ...given,
    gateway: { listen: free, ...given['gateway'] },
    admin: { listen: free, ...given['admin'] },
    envoy: { admin: free, ...given['envoy'] },
    ledger: { directory: 'data/ledger', ...given['ledger'] },
  };
}

/**
 * Only what programs need to run, and the transport to run the tests with: a provider key in the developer's environment
 * must not change a test.
 */
function environment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'LANG', 'TOLLGATE_TRANSPORT'];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name] ?? '']] : [])));
}

/** The Envoy to test with; throws with the way to get one. */
export function envoyBinary(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const architecture = `${process.platform}-${process.arch}`;
  const candidates = [process.env['ENVOY_BIN'], join(cache, 'tollgate', `envoy-1.40.0-${architecture}`, 'envoy')];
  const found = candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
  if (found === undefined) throw new Error('no Envoy 1.40: run `npm run setup`, or set ENVOY_BIN');
  return found;
}

interface Addresses {
  readonly gateway: string;
  readonly admin: string;
  readonly envoy_admin: string;
}

class RunningGateway implements Gateway {
  readonly key = KEY;
  readonly directory: string;
  readonly #child: ChildProcess;
  #output = '';
  #addresses: Addresses = { gateway: '', admin: '', envoy_admin: '' };

  constructor(directory: string, child: ChildProcess) {
    this.directory = directory;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  get url(): string {
    return `http://${this.#addresses.gateway}`;
  }

  get adminUrl(): string {
    return `http://${this.#addresses.admin}`;
  }

  get envoyAdminUrl(): string {
    return `http://${this.#addresses.envoy_admin}`;
  }

  async started(): Promise<void> {
    const file = join(this.directory, 'run', 'addresses.json');
    await this.#eventually(READY_MS, () => existsSync(file) && readFileSync(file, 'utf8').trim().endsWith('}'));
    this.#addresses = JSON.parse(readFileSync(file, 'utf8')) as Addresses;
    await this.ready();
  }

  ready(): Promise<void> {
    return this.#eventually(READY_MS, async () => {
      const answer = await exchange(`${this.adminUrl}/readyz`, { method: 'GET' }).catch(() => null);
      return answer?.status === 200;
    });
  }

  async replaced(pid: number): Promise<void> {
    await this.#eventually(READY_MS, () => {
      const file = join(this.directory, 'run', 'service.pid');
      return existsSync(file) && Number(readFileSync(file, 'utf8')) !== pid;
    });
    await this.ready();
  }

  settled(): Promise<void> {
    return this.#eventually(10_000, () => this.unsettled().length === 0);
  }

  logs(): string {
    const directory = join(this.directory, 'run');
    const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.log')) : [];
    return [this.#output, ...names.map((name) => readFileSync(join(directory, name), 'utf8'))].join('\n');
  }

  pid(which: 'up' | 'service' | 'envoy'): number {
    return Number(readFileSync(join(this.directory, 'run', `${which}.pid`), 'utf8'));
  }

  kill(which: 'service' | 'envoy', signal: NodeJS.Signals): void {
    process.kill(this.pid(which), signal);
  }

  async requests(): Promise<RequestRecord[]> {
    const all: RequestRecord[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await exchange(`${this.adminUrl}/api/v1/requests?limit=1000${query}`, { method: 'GET' });
      const page = JSON.parse(answer.text) as { data: RequestRecord[]; next: string | null };
      all.push(...page.data);
      cursor = page.next;
    }
    return all;
  }

  async record(id: string): Promise<RequestRecord> {
    let found: RequestRecord | null = null;
    await this.#eventually(5_000, async () => {
      const answer = await exchange(`${this.adminUrl}/api/v1/requests/${id}`, { method: 'GET' });
      found = answer.status === 200 ? (JSON.parse(answer.text) as RequestRecord) : null;
      return found !== null;
    });
    return found ?? Promise.reject(new Error(`no record of ${id}`));
  }

  ledger(): LedgerEntry[] {
    return filesUnder(join(this.directory, 'data', 'ledger')).flatMap(ledgerEntriesOf);
  }

  unsettled(): string[] {
    const finals = new Map<string, number>();
    const entries = this.ledger();
    for (const entry of entries) {
      if (entry.type !== 'hold') finals.set(entry.id, (finals.get(entry.id) ?? 0) + 1);
    }
    return entries.filter((entry) => entry.type === 'hold' && finals.get(entry.id) !== 1).map((entry) => entry.id);
  }

  accessLog(): Record<string, unknown>[] {
    const path = join(this.directory, 'data', 'envoy', 'access.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async accessLine(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    await this.#eventually(5_000, () => this.accessLog().some(fits));
    return this.accessLog().find(fits) ?? {};
  }

  async usage(by: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { text: body } = await exchange(`${this.adminUrl}/api/v1/usage?by=${by}`, { method: 'GET' });
    return (JSON.parse(body) as { data: Readonly<Record<string, unknown>>[] }).data;
  }

  async limits(): Promise<readonly LimitState[]> {
    const { text: body } = await exchange(`${this.adminUrl}/api/v1/limits?limit=1000`, { method: 'GET' });
    return (JSON.parse(body) as { data: LimitState[] }).data;
  }

  async metrics(): Promise<string> {
    return (await exchange(`${this.adminUrl}/metrics`, { method: 'GET' })).text;
  }

  async idle(): Promise<void> {
    await this.#eventually(5_000, async () => {
      const filter = 'filter=(downstream_rq_active|upstream_rq_active)$';
      const { text } = await exchange(`${this.envoyAdminUrl}/stats?${filter}`, { method: 'GET' });
      // Envoy counts this very question too, under the name of its admin listener.
      return text
        .split('\n')
        .every((line) => /^(http\.admin\.|listener\.admin\.|$)/.test(line) || line.endsWith(': 0'));
    });
    // The service writes its ledger at the end of the turn in which it says its last word; it answers this in a later one.
    await this.metrics().catch(() => '');
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): ReturnType<typeof exchange> {
    const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const all = { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', ...headers };
    return exchange(this.url + path, { headers: all, body: bytes });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): ReturnType<typeof exchange> {
    return exchange(this.url + path, { method: 'GET', headers: { authorization: `Bearer ${this.key}`, ...headers } });
  }

  configure(config: string | Readonly<Record<string, unknown>>): void {
    const written = typeof config === 'string' ? config : JSON.stringify(completed(config), null, 2);
    const path = join(this.directory, 'tollgate.yaml');
    writeFileSync(`${path}.new`, written);
    renameSync(`${path}.new`, path);
  }

  metric(name: string, value: number): Promise<void> {
    return this.#eventually(5_000, async () => (await this.metrics()).split('\n').includes(`${name} ${value}`));
  }

  async command(...words: readonly string[]): Promise<Ended> {
    const config = ['--config', join(this.directory, 'tollgate.yaml')];
    const child = spawn(process.execPath, [MAIN, ...words, ...config], {
      cwd: this.directory,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    return { code, stdout, stderr };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#killAll(), STOP_MS);
    await exited;
    clearTimeout(late);
  }

  #killAll(): void {
    for (const which of ['service', 'envoy'] as const) {
      try {
        this.kill(which, 'SIGKILL');
      } catch {
        // Already gone, or never started.
      }
    }
    this.#child.kill('SIGKILL');
  }

  /** Asks again and again, because files and HTTP have no event to wait for. */
  async #eventually(withinMs: number, done: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + withinMs;
    while (!(await done())) {
      if (this.#child.exitCode !== null)
        throw new Error(`the gateway exited with ${this.#child.exitCode}\n${this.logs()}`);
      if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms\n${this.logs().slice(-4_000)}`);
      await wait(20);
    }
  }
}

function filesUnder(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** Entries of a segment; a torn tail is left out. */
function ledgerEntriesOf(path: string): LedgerEntry[] {
  const lines = readFileSync(path, 'latin1').split('\n');
  return lines.flatMap((line) => decodeLine(Buffer.from(line, 'latin1')) ?? []);
}
