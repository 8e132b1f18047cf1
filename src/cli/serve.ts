import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { WorkerPlace } from '../app/workers/worker-place.js';
import type { Running, StartOptions } from '../app.js';
import { formatAddress } from '../config/address.js';
import type { Address } from '../config/snapshot.js';
import { addressFlag, countFlag, durationFlag, indexFlag, withConfigFlag } from './flags.js';
import { limitHeaps } from './heap-limits.js';
import type { ServiceMessage } from './service-message.js';
import { readSettings, type Settings } from './settings.js';
import { linkSocket, nextGeneration, socketName, unlinkSocket } from './supervisor/socket-link.js';
import { UserError } from './user-error.js';

export interface ServeFlags {
  readonly config?: string;
  /** Milliseconds. */
  readonly grace: number;
  readonly generation?: number;
  readonly worker?: number;
  /** Of all, when a supervisor started them; else as configured. */
  readonly workers?: number;
  readonly listen?: Address;
  readonly adminListen?: Address;
  readonly envoyAdmin?: Address;
  readonly runtimeDirectory?: string;
}

/** What a stopping generation gives its streams under a supervisor, which ends it earlier where it must. */
const SUPERVISED_GRACE_MS = 3_600_000;

/** `tollgate serve`: the service alone, for an Envoy that somebody else runs; also what `up` starts. */
export function serveCommand(): Command {
  const hidden = (flags: string) => new Option(flags).hideHelp();
  return withConfigFlag(new Command('serve'))
    .description('run the service without Envoy (sidecar)')
    .addOption(
      new Option('--grace <duration>', 'time for running streams after SIGTERM')
        .argParser(durationFlag)
        .default(30_000, '30s'),
    )
    .addOption(new Option('--worker <number>', 'which of gateway.workers this process is, from 0').argParser(indexFlag))
    .addOption(hidden('--workers <number>').argParser(countFlag))
    .addOption(hidden('--generation <number>').argParser(countFlag))
    .addOption(hidden('--listen <address>').argParser(addressFlag))
    .addOption(hidden('--admin-listen <address>').argParser(addressFlag))
    .addOption(hidden('--envoy-admin <address>').argParser(addressFlag))
    .addOption(hidden('--runtime-directory <path>'))
    .addHelpText('after', HELP)
    .action(serve);
}

const HELP = `
The service listens on <runtime_directory>/extproc-<n>.sock and points extproc.sock there when it is ready. Start a second
one and end the first with SIGTERM for a restart without an error. SIGHUP reads the config file again.

  $ tollgate envoy > envoy.yaml && envoy -c envoy.yaml &
  $ tollgate serve --config tollgate.yaml`;

async function serve(flags: ServeFlags): Promise<void> {
  limitHeaps();
  const supervised = process.send !== undefined;
  const settings = readSettings({ config: flags.config, env: process.env, directory: process.cwd() });
  const directory = flags.runtimeDirectory ?? settings.snapshot.runtimeDirectory;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const generation = flags.generation ?? nextGeneration(directory);
  // Before the start: a supervisor that goes while we start must not leave an orphan behind.
  const asked = stopRequest(supervised);
  const running = await startService(startOptions({ flags, settings, directory, generation }));
  const socket = join(directory, socketName(generation));
  if (supervised) tell({ type: 'ready', admin: running.adminAddress, socket });
  else standAlone(running, socket, flags.worker);
  await asked;
  if (supervised) tell({ type: 'stopping' });
  await running.stop(supervised ? SUPERVISED_GRACE_MS : flags.grace);
  if (!supervised) unlinkSocket(socket, flags.worker);
  process.exit(0);
}

function startOptions(parts: {
  flags: ServeFlags;
  settings: Settings;
  directory: string;
  generation: number;
}): StartOptions {
  const { flags, settings, directory, generation } = parts;
  return {
    configPath: settings.path,
    generation,
    env: process.env,
    listen: flags.listen ?? null,
    adminListen: flags.adminListen ?? null,
    envoyAdmin: flags.envoyAdmin ?? null,
    runtimeDirectory: directory,
    firstKey: settings.firstRun?.key ?? null,
    worker: workerOf(flags, settings),
  };
}

function workerOf({ worker = 0, workers }: ServeFlags, { snapshot }: Settings): WorkerPlace {
  const count = workers ?? snapshot.gateway.workers ?? 1;
  if (worker < count) return { index: worker, count };
  throw new UserError(`--worker ${worker}: gateway.workers is ${count}, so the last one is ${count - 1}`);
}

/** The service's libraries (gRPC among them) load here, so that no other command pays for them. */
async function startService(options: StartOptions): Promise<Running> {
  const { start } = await import('../app.js');
  try {
    return await start(options);
  } catch (error) {
    throw isTaken(error) ? new UserError(`${error.address ?? ''}:${error.port ?? ''} is in use: ${TAKEN_HELP}`) : error;
  }
}

const TAKEN_HELP = 'end the other program, or change admin.listen in the config file (port 0 picks a free one).';

function isTaken(error: unknown): error is NodeJS.ErrnoException & { address?: string; port?: number } {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

/** Resolves at the first SIGTERM or SIGINT, or when the supervisor is gone. */
function stopRequest(supervised: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    if (!supervised) return;
    process.once('disconnect', () => resolve());
    // The supervisor answers SIGHUP with a new generation; one that reaches us by way of the terminal means nothing.
    process.on('SIGHUP', () => undefined);
  });
}

function standAlone(running: Running, socket: string, worker?: number): void {
  linkSocket(socket, worker);
  process.on('SIGHUP', () => {
    running.reload().then(
      (problems) => say(problems.length === 0 ? 'configuration read again' : problems.join('\n')),
      (error: unknown) => say(`the configuration could not be read again: ${String(error)}`),
    );
  });
  say(`ready: socket ${socket}, admin http://${formatAddress(running.adminAddress)}`);
}

function say(text: string): void {
  process.stderr.write(`tollgate: ${text}\n`);
}

/** A supervisor that has gone meanwhile is noticed by `disconnect`; a message it cannot read any more is no error. */
function tell(message: ServiceMessage): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}
