import { closeSync, openSync } from 'node:fs';
import { Command, Option } from 'commander';
import { formatAddress } from '../config/address.js';
import { formatProblem } from '../config/problem.js';
import type { Snapshot } from '../config/snapshot.js';
import { banner, wantsColour } from './banner.js';
import { durationFlag, withConfigFlag } from './flags.js';
import { launch } from './launch.js';
import { readSettings, type Settings } from './settings.js';
import { type Addresses, localAddress } from './supervisor/ports.js';
import type { Supervisor } from './supervisor/supervise.js';

interface UpFlags {
  readonly config?: string;
  /** Milliseconds. */
  readonly grace: number;
}

/** How often to say that the start still takes time. */
const PROGRESS_MS = 5_000;

/** A signal this soon after the first is the same Ctrl-C, sent once by the terminal and once more by npm. */
const SAME_SIGNAL_MS = 500;

/** `tollgate up`: service and Envoy under one supervisor; what `npm start` runs. */
export function upCommand(): Command {
  return withConfigFlag(new Command('up'))
    .description('run the gateway: service and Envoy, supervised')
    .addOption(
      new Option('--grace <duration>', 'time for running requests when stopping')
        .argParser(durationFlag)
        .default(30_000, '30s'),
    )
    .addHelpText('after', HELP)
    .action(up);
}

const HELP = `
Without a config file a built-in mock provider answers, and each provider whose key is in the environment is on.
SIGHUP starts a new service generation with the config file as it is now; no request is lost. SIGTERM and Ctrl-C let
running requests finish; a second one ends everything at once.

  $ tollgate up
  $ tollgate up --config /etc/tollgate/tollgate.yaml
  $ kill -HUP $(cat run/up.pid)`;

async function up(flags: UpFlags): Promise<void> {
  const started = performance.now();
  const settings = readSettings({ config: flags.config, env: process.env, directory: process.cwd() });
  for (const warning of settings.warnings) say(`warning: ${formatProblem(warning)}`);
  const progress = setInterval(() => say('still starting'), PROGRESS_MS);
  const onReady = (addresses: Addresses, first: boolean) => {
    clearInterval(progress);
    if (first) greet({ settings, addresses, startedInMs: performance.now() - started });
    else say(`the admin API and the console moved to http://${formatAddress(localAddress(addresses.admin))}`);
  };
  const launched = await launch({
    snapshot: settings.snapshot,
    configPath: settings.path,
    env: process.env,
    drainMs: flags.grace,
    output: 'inherit',
    log: say,
    onReady,
  });
  say('starting Envoy and the service');
  obeySignals(launched.supervisor);
  process.exitCode = await launched.ended;
  process.exit();
}

function greet(facts: { settings: Settings; addresses: Addresses; startedInMs: number }): void {
  const { settings, addresses, startedInMs } = facts;
  const { snapshot, firstRun } = settings;
  const text = banner(
    {
      gateway: `${snapshot.gateway.tls === null ? 'http' : 'https'}://${formatAddress(localAddress(addresses.gateway))}`,
      admin: `http://${formatAddress(localAddress(addresses.admin))}`,
      config: settings.path,
      key: firstRun?.key ?? null,
      providers: firstRun?.providers ?? [],
      model: exampleModel(snapshot),
      startedInMs,
    },
    wantsColour(process.stdout, process.env),
  );
  process.stdout.write(text);
}

/** A name for the example: a configured model, else something of the mock, else a placeholder to fill in. */
function exampleModel(snapshot: Snapshot): string {
  const [model] = snapshot.models.keys();
  if (model !== undefined) return model;
  return snapshot.providers.has('mock') ? 'mock/echo' : `${[...snapshot.providers.keys()][0] ?? 'provider'}/MODEL`;
}

function obeySignals(supervisor: Supervisor): void {
  let first = Number.NEGATIVE_INFINITY;
  const stop = () => {
    const now = performance.now();
    if (now - first < SAME_SIGNAL_MS) return;
    if (first === Number.NEGATIVE_INFINITY) say('stopping: running requests may finish (again to end at once)');
    first = now;
    supervisor.dispatch({ type: 'stop' });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => (isTerminalGone() ? stop() : supervisor.dispatch({ type: 'reload' })));
  // The reader of our output may go before us (`tollgate up | head`); the gateway stays.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** SIGHUP means "reload" from an operator and "your terminal was closed" from the kernel. */
function isTerminalGone(): boolean {
  if (!process.stdin.isTTY && !process.stdout.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

function say(text: string): void {
  process.stderr.write(`tollgate: ${text}\n`);
}
