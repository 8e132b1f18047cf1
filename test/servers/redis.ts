import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type ServerKind, serverBinary } from './binaries.js';
import { freePort } from './free-port.js';
import { ServerFailed, type ServerProcess, startServer } from './server-process.js';

export interface RedisOptions {
  readonly kind?: ServerKind;
  /** One node that has all slots. Takes two seconds to come up. */
  readonly cluster?: boolean;
  /** Every write is on disk before it is answered: `kill` and `start` lose nothing. */
  readonly appendOnly?: boolean;
}

/** A server of our own on 127.0.0.1. Its port stays the same over restarts. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: () => number;
  /** Answers nothing until `resume`, but connections stay and new ones are accepted by the system. */
  pause(): void;
  resume(): void;
  /** At once, as by a crash; what was on disk stays. Also when paused. */
  kill(): Promise<void>;
  /** After `kill`. */
  start(): Promise<void>;
  /** `kill` if it runs, and `start` without data. */
  restartEmpty(): Promise<void>;
  /** For good; the data is removed. */
  stop(): Promise<void>;
}

/** Starts a real Redis or Valkey. Throws if there is none: see `missing`. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-redis-'));
  for (let attempt = 0; ; attempt += 1) {
    const port = await freePort();
    try {
      const running = await launch(options, directory, port);
      return redisServer(options, { directory, port, running });
    } catch (problem) {
      // Somebody else was faster with the port.
      if (attempt < 5 && problem instanceof ServerFailed && /in use|bind/i.test(problem.message)) continue;
      rmSync(directory, { recursive: true, force: true });
      throw problem;
    }
  }
}

interface Started {
  readonly directory: string;
  readonly port: number;
  readonly running: ServerProcess;
}

function redisServer(options: RedisOptions, { directory, port, running }: Started): RedisServer {
  let current: ServerProcess | null = running;
  const signal = (name: NodeJS.Signals): void => {
    if (current !== null) process.kill(current.pid, name);
  };
  const kill = async (): Promise<void> => {
    const ending = current;
    current = null;
    await ending?.kill('SIGKILL');
  };
  const start = async (): Promise<void> => {
    current ??= await launch(options, directory, port);
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => current?.pid ?? 0,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill,
    start,
    restartEmpty: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory);
      await start();
    },
    stop: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function launch(options: RedisOptions, directory: string, port: number): Promise<ServerProcess> {
  const { kind = 'redis', cluster = false, appendOnly = false } = options;
  const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: yes(appendOnly) };
  const durable = appendOnly ? { appendfsync: 'always' } : {};
  const clustered = cluster ? { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' } : {};
  const running = await startServer({
    binary: serverBinary(kind),
    args: Object.entries({ ...settings, ...durable, ...clustered }).flatMap(([name, value]) => [
      `--${name}`,
      `${value}`,
    ]),
    directory,
    ready: /Ready to accept connections/,
    deadly: 'SIGKILL',
  });
  if (cluster) await takeAllSlots(port);
  return running;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}

async function takeAllSlots(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1');
  try {
    // The slots are known from before when it was started again.
    if (!(await client.cluster('INFO')).includes('cluster_slots_assigned:16384'))
      await client.cluster('ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    // A node that has just started waits two seconds before it calls its cluster complete, and tells nobody.
    while (!(await client.cluster('INFO')).includes('cluster_state:ok')) await pause(20);
  } finally {
    client.disconnect();
  }
}
