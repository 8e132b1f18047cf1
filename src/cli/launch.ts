import { readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../config/address.js';
import type { Address, Snapshot } from '../config/snapshot.js';
import { findEnvoy } from '../envoy/binary.js';
import { renderBootstrap } from '../envoy/bootstrap.js';
import { findCaBundle } from '../envoy/ca-bundle.js';
import { writeClusters } from '../envoy/cds.js';
import { standardPaths } from '../envoy/options.js';
import type { EnvoyStart } from '../envoy/run-envoy.js';
import { startEnvoyProcess } from './supervisor/envoy-process.js';
import { type Addresses, localAddress, settleAddresses } from './supervisor/ports.js';
import { holdRuntimeDirectory, type RuntimeDirectory } from './supervisor/runtime-directory.js';
import { type ServiceCommand, startServiceProcess } from './supervisor/service-process.js';
import { linkSocket } from './supervisor/socket-link.js';
import { type Supervisor, type SupervisorHands, supervise } from './supervisor/supervise.js';
import { UserError } from './user-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface LaunchOptions {
  /** With the addresses and the runtime directory that are wanted; port 0 is replaced here. */
  readonly snapshot: Snapshot;
  /** Config file for the service, or null. */
  readonly configPath: string | null;
  readonly env: Environment;
  /** Milliseconds for running requests at the end. */
  readonly drainMs: number;
  /** Where the service's log lines go. */
  readonly output: ServiceCommand['output'];
  readonly log: (text: string) => void;
  /** Everything answers; also called later when the admin has moved. */
  readonly onReady: (addresses: Addresses, first: boolean) => void;
}

export interface Launched {
  readonly supervisor: Supervisor;
  /** Exit code, when all children are gone and the runtime directory is released. */
  readonly ended: Promise<number>;
}

/** The compiled command line, which runs the service too. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/**
 * Starts service and Envoy under a supervisor.
 *
 * @throws UserError when there is no Envoy, a port is in use, or the runtime directory belongs to a living gateway
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const envoy = findEnvoy(options.snapshot.envoy.binary, options.env);
  if ('problem' in envoy) throw new UserError(envoy.problem);
  const runtime = await holdRuntimeDirectory(options.snapshot.runtimeDirectory);
  try {
    const addresses = await settleAddresses(wantedAddresses(options.snapshot));
    const start = await prepareEnvoy({ options, runtime, addresses, binary: envoy.path });
    const service = serviceCommand({ options, runtime, addresses });
    const supervisor = superviseChildren({ options, runtime, addresses, start, service });
    return { supervisor, ended: supervisor.ended.finally(() => runtime.release()) };
  } catch (error) {
    runtime.release();
    throw error;
  }
}

function wantedAddresses({ gateway, admin, envoy }: Snapshot): Addresses {
  return { gateway: gateway.listen, admin: admin.listen, envoyAdmin: envoy.admin };
}

interface Plan {
  readonly options: LaunchOptions;
  readonly runtime: RuntimeDirectory;
  readonly addresses: Addresses;
}

/** Writes the bootstrap and all files that it names and that must be there when Envoy starts. */
async function prepareEnvoy({
  options,
  runtime,
  addresses,
  binary,
}: Plan & { readonly binary: string }): Promise<Omit<EnvoyStart, 'onExit'>> {
  const { snapshot, env } = options;
  const paths = standardPaths({ runtimeDirectory: runtime.sockets, dataDirectory: snapshot.dataDirectory });
  await mkdir(dirname(paths.accessLogPath), { recursive: true });
  // The service writes the real clusters; an Envoy whose cluster file does not exist does not start.
  await writeClusters(paths.cdsPath, { version_info: 'none', resources: [] });
  const settings = {
    ...snapshot,
    gateway: { ...snapshot.gateway, listen: addresses.gateway },
    envoy: { ...snapshot.envoy, admin: addresses.envoyAdmin },
  };
  const caBundle = findCaBundle(join(runtime.sockets, 'ca.pem'), env);
  const bootstrap = renderBootstrap(settings, { ...paths, caBundle });
  runtime.write('envoy.json', `${JSON.stringify(bootstrap, null, 2)}\n`);
  return {
    binary,
    bootstrapPath: join(runtime.path, 'envoy.json'),
    logPath: join(runtime.path, 'envoy.log'),
    adminAddressPath: join(runtime.path, 'envoy-admin.address'),
    concurrency: snapshot.envoy.concurrency,
  };
}

function serviceCommand({ options, runtime, addresses }: Plan): ServiceCommand {
  const places = [
    ['--listen', formatAddress(addresses.gateway)],
    ['--admin-listen', formatAddress(addresses.admin)],
    ['--envoy-admin', formatAddress(addresses.envoyAdmin)],
    ['--runtime-directory', runtime.sockets],
  ];
  const config = options.configPath === null ? [] : ['--config', options.configPath];
  return { main: MAIN, args: [...config, ...places.flat()], env: options.env, output: options.output };
}

function superviseChildren(
  plan: Plan & { readonly start: Omit<EnvoyStart, 'onExit'>; readonly service: ServiceCommand },
): Supervisor {
  const { options, runtime, addresses } = plan;
  const announce = (admin: Address, first: boolean) => {
    const real = { ...addresses, admin };
    runtime.write('addresses.json', addressesText(real));
    options.onReady(real, first);
  };
  const workers = options.snapshot.gateway.workers ?? 1;
  const hands: SupervisorHands = {
    spawnService: (place, report) => startServiceProcess(plan.service, { ...place, workers }, report),
    spawnEnvoy: (report) => {
      const before = sizeOf(plan.start.logPath);
      return startEnvoyProcess(plan.start, options.drainMs, (event) => {
        if (event.type === 'envoy_exited') quoteLog(plan.start.logPath, before, options.log);
        report(event);
      });
    },
    link: linkSocket,
    writePid: runtime.writePid,
    announce,
    log: options.log,
    now: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  };
  return supervise(hands, workers);
}

/** `run/addresses.json`: as a client on this machine calls them. */
export function addressesText(addresses: Addresses): string {
  const text = {
    gateway: formatAddress(localAddress(addresses.gateway)),
    admin: formatAddress(localAddress(addresses.admin)),
    envoy_admin: formatAddress(localAddress(addresses.envoyAdmin)),
  };
  return `${JSON.stringify(text)}\n`;
}

/** The critical lines that this Envoy wrote: the only place where it says why it did not start. */
function quoteLog(path: string, from: number, log: (text: string) => void): void {
  if (sizeOf(path) <= from) return;
  const lines = readFileSync(path).subarray(from).toString().split('\n');
  for (const line of lines.filter((text) => text.includes('[critical]')).slice(-2)) log(`envoy: ${line}`);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
