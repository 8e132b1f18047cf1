import { execFile } from 'node:child_process';
import { chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { postgresFolder } from './binaries.js';
import { freePort } from './free-port.js';
import { ServerFailed, type ServerProcess, startServer } from './server-process.js';

/** A server of our own on 127.0.0.1; user `postgres`, no password, no durability. Its port stays the same over restarts. */
export interface PostgresServer {
  /** Of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** A new, empty database; its URL. Cheaper than another server. */
  createDatabase(): Promise<string>;
  /** Answers nothing until `resume`, on old connections and new ones. */
  pause(): void;
  resume(): void;
  /** At once, as by a crash; data stays. Also when paused. */
  kill(): Promise<void>;
  /** After `kill`; recovers. */
  start(): Promise<void>;
  /** For good; the data is removed. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const NOBODY = 65_534;
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'shared_buffers=16MB',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'autovacuum=off',
  'max_connections=50',
];

/** Postgres refuses to run as root, so it then runs as nobody. Throws if there is none: see `missing`. */
export async function startPostgres(): Promise<PostgresServer> {
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const directory = mkdtempSync(join(tmpdir(), 'tg-postgres-'));
  if (uid !== undefined) chownSync(directory, uid, uid);
  const place: Place = { folder: reachableFolder(directory, uid), directory, uid };
  try {
    await initialise(place);
    for (let attempt = 0; ; attempt += 1) {
      const port = await freePort();
      try {
        return postgresServer(place, port, await launch(place, port));
      } catch (problem) {
        // Somebody else was faster with the port.
        if (attempt < 5 && problem instanceof ServerFailed && /in use/i.test(problem.message)) continue;
        throw problem;
      }
    }
  } catch (problem) {
    rmSync(directory, { recursive: true, force: true });
    throw problem;
  }
}

interface Place {
  readonly folder: string;
  readonly directory: string;
  readonly uid: number | undefined;
}

/** Nobody may not look into every checkout: then the programs are copied. */
function reachableFolder(directory: string, uid: number | undefined): string {
  const folder = postgresFolder();
  const parents: string[] = [];
  for (let path = folder; path !== dirname(path); path = dirname(path)) parents.push(path);
  if (uid === undefined || parents.every((path) => (statSync(path).mode & 0o001) !== 0)) return folder;
  const copy = join(directory, 'programs');
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

async function initialise({ folder, directory, uid }: Place): Promise<void> {
  const args = ['-D', 'data', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const user = uid === undefined ? {} : { uid, gid: uid };
  await run(join(folder, 'bin/initdb'), args, { cwd: directory, ...user });
}

function launch({ folder, directory, uid }: Place, port: number): Promise<ServerProcess> {
  return startServer({
    binary: join(folder, 'bin/postgres'),
    args: ['-D', 'data', '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])],
    directory,
    ready: /ready to accept connections/,
    deadly: 'SIGQUIT',
    ...(uid === undefined ? {} : { uid }),
  });
}

function postgresServer(place: Place, port: number, running: ServerProcess): PostgresServer {
  let current: ServerProcess | null = running;
  let databases = 0;
  const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  const signal = (name: NodeJS.Signals): void => {
    if (current === null) return;
    // The parent first, so that it starts no further child.
    process.kill(current.pid, name);
    for (const pid of childrenOf(current.pid)) signalIfAlive(pid, name);
  };
  const kill = async (): Promise<void> => {
    const ending = current;
    if (ending === null) return;
    signal('SIGCONT');
    current = null;
    // Immediate shutdown: no checkpoint, recovery at the next start, and no child is left.
    await ending.kill('SIGQUIT');
  };
  return {
    url: urlOf('postgres'),
    port,
    createDatabase: async () => {
      databases += 1;
      await query(urlOf('postgres'), `CREATE DATABASE test_${databases}`);
      return urlOf(`test_${databases}`);
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill,
    start: async () => {
      current ??= await launch(place, port);
    },
    stop: async () => {
      await kill();
      rmSync(place.directory, { recursive: true, force: true });
    },
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | null {
  try {
    // After the name, which may hold anything, in brackets: state and parent.
    return Number(/\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return null;
  }
}

function signalIfAlive(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
