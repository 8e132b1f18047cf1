import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatAddress } from '../config/address.js';
import type { Snapshot } from '../config/snapshot.js';
import { withConfigFlag } from './flags.js';
import { type Launched, launch } from './launch.js';
import { readSettings, type Settings } from './settings.js';
import { type Addresses, localAddress } from './supervisor/ports.js';
import { UserError } from './user-error.js';

interface RunFlags {
  readonly config?: string;
  readonly key?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `tollgate run -- CMD`: a gateway for the time of one command. */
export function runCommand(): Command {
  return withConfigFlag(new Command('run'))
    .description('run a command with a gateway of its own, then stop')
    .option('--key <secret>', 'gateway key for the command (default: $TOLLGATE_KEY, or the first-run key)')
    .argument('<command...>', 'after --')
    .passThroughOptions()
    .addHelpText('after', HELP)
    .action(run);
}

const HELP = `
The gateway takes free ports and a temporary runtime directory; the ledger is the configured one. The command finds it by
OPENAI_BASE_URL, OPENAI_API_KEY, ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, TOLLGATE_URL and TOLLGATE_KEY. Exit code: the command's.

  $ tollgate run -- python app.py
  $ tollgate run --config tollgate.yaml -- npm test`;

async function run(command: readonly string[], flags: RunFlags): Promise<void> {
  const settings = readSettings({ config: flags.config, env: process.env, directory: process.cwd() });
  const key = flags.key ?? process.env['TOLLGATE_KEY'] ?? settings.firstRun?.key;
  if (key === undefined) {
    throw new UserError(
      "which gateway key may the command use? Give one of the config file's: --key SECRET, or TOLLGATE_KEY in the environment.",
    );
  }
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-run-'));
  try {
    process.exitCode = await runIn({ directory, settings, key, command });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.exit();
}

interface Job {
  readonly directory: string;
  readonly settings: Settings;
  readonly key: string;
  readonly command: readonly string[];
}

async function runIn(job: Job): Promise<number> {
  const logPath = join(job.directory, 'service.log');
  const log = openSync(logPath, 'a');
  const ready = Promise.withResolvers<Addresses>();
  let launched: Launched;
  try {
    launched = await launch({
      snapshot: onFreePorts(job.settings.snapshot, job.directory),
      configPath: job.settings.path,
      env: process.env,
      drainMs: 2_000,
      output: log,
      log: (text) => process.stderr.write(`tollgate: ${text}\n`),
      onReady: (addresses, first) => first && ready.resolve(addresses),
    });
  } finally {
    closeSync(log);
  }
  const addresses = await Promise.race([ready.promise, launched.ended]);
  if (typeof addresses === 'number') {
    process.stderr.write(readFileSync(logPath, 'utf8').slice(-4_096));
    return 1;
  }
  const code = await runChild(job.command, childEnvironment({ env: process.env, addresses, job }));
  launched.supervisor.dispatch({ type: 'stop' });
  await launched.ended;
  return code;
}

/** Nothing outside this machine needs to reach it, and nothing here may collide with a gateway that runs already. */
function onFreePorts(snapshot: Snapshot, directory: string): Snapshot {
  const free = { host: '127.0.0.1', port: 0 };
  return {
    ...snapshot,
    gateway: { ...snapshot.gateway, listen: free },
    admin: { ...snapshot.admin, listen: free },
    envoy: { ...snapshot.envoy, admin: free },
    runtimeDirectory: directory,
  };
}

/**
 * What official SDKs and most tools read. OpenAI's base URL holds `/v1`; Anthropic's and Google's SDKs add the version
 * themselves.
 */
function childEnvironment(parts: { env: Environment; addresses: Addresses; job: Job }): Environment {
  const { env, addresses, job } = parts;
  const scheme = job.settings.snapshot.gateway.tls === null ? 'http' : 'https';
  const url = `${scheme}://${formatAddress(localAddress(addresses.gateway))}`;
  return {
    ...env,
    TOLLGATE_URL: url,
    TOLLGATE_KEY: job.key,
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_BASE: `${url}/v1`,
    OPENAI_API_KEY: job.key,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: job.key,
    GOOGLE_GEMINI_BASE_URL: url,
    GEMINI_API_KEY: job.key,
  };
}

/** Resolves to the command's exit code, 128 + number after a signal, 127 when it could not be started. */
function runChild([file, ...args]: readonly string[], env: Environment): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file ?? '', args, { stdio: 'inherit', env });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // Ctrl-C reaches the command by the terminal; it decides, and we stop when it has ended.
      process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
    }
    child.on('error', (error) => {
      process.stderr.write(`tollgate: cannot run ${file}: ${error.message}\n`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
