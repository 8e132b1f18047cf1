import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { verifyLedger } from './accounting/ledger/verify.js';
import { recordEntries } from './accounting/records/record-entries.js';
import type { AdminDependencies, ProviderHealth, Readiness } from './admin/ports.js';
import type { AdminOptions, RunningAdmin } from './admin/server.js';
import { startAdminListener } from './app/admin.js';
import { ProviderClusters } from './app/clusters.js';
import { openConfiguration, placeMock, wantsMock } from './app/configuration.js';
import { buildService, type Service } from './app/service.js';
import { VERSION } from './app/version.js';
import { warmUp } from './app/warm-up.js';
import { type Crew, joinCrew } from './app/workers/crew.js';
import { ALONE, isFirst, type WorkerPlace } from './app/workers/worker-place.js';
import { formatAddress } from './config/address.js';
import { formatProblem } from './config/problem.js';
import type { Address, Snapshot } from './config/snapshot.js';
import { askEnvoy } from './envoy/envoy-admin.js';
import { type ExtProcServer, startExtProc } from './extproc/server.js';
import { readTransport } from './extproc/transport/choose.js';
import { type Mock, startMock } from './mock/start-mock.js';
import type { LimitRow } from './policy/limits/limiter.js';

/** What `serve` needs to know beyond the config file. */
export interface StartOptions {
  /** Config file, or null for the built-in default (mock + providers found in the environment). */
  readonly configPath: string | null;
  /** Number of this service generation: 1 on a first start; names the socket `extproc-<n>.sock`. */
  readonly generation: number;
  /** Environment for `${VAR}` in the config. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Real addresses when the config says port 0 and somebody else (the supervisor) has chosen them. */
  readonly listen: Address | null;
  readonly envoyAdmin: Address | null;
  /**
   * The same for the admin listener; null or absent = as configured. From generation 2 on the older generation still holds
   * it: `start` resolves without waiting for it and goes on trying to bind until it succeeds.
   */
  readonly adminListen?: Address | null;
  /** Where `extproc-<n>.sock` and `cds.json` are, absolute, existing; null or absent = the snapshot's `runtimeDirectory`. */
  readonly runtimeDirectory?: string | null;
  /** The key of a gateway without a config file (design 6.3); null or absent = none. */
  readonly firstKey?: string | null;
  /** Which of several service processes this is; absent = the only one. */
  readonly worker?: WorkerPlace;
}

export interface Running {
  readonly snapshot: () => Snapshot;
  readonly adminAddress: Address;
  /** Rebuilds from the config file; resolves to the problems (empty = new snapshot in use). */
  reload(): Promise<readonly string[]>;
  /** Stops taking streams, lets running ones finish (at most `graceMs`), settles, flushes. */
  stop(graceMs: number): Promise<void>;
}

/** Composition root: builds every part of the service and connects them. Rejects when the config has mistakes or a port is taken. */
export async function start(options: StartOptions): Promise<Running> {
  const configuration = openConfiguration({
    path: options.configPath,
    env: options.env,
    firstKey: options.firstKey ?? null,
  });
  const worker = options.worker ?? ALONE;
  const mocked = wantsMock(configuration.snapshot);
  const mock = mocked && isFirst(worker) ? await startMock({ host: '127.0.0.1', port: 0 }) : null;
  const snapshot = withMock(configuration.snapshot, mock);
  const directory = options.runtimeDirectory ?? snapshot.runtimeDirectory;
  let crew: Crew | null = null;
  const envoyAdmin = (): Address => options.envoyAdmin ?? snapshot.envoy.admin;
  const service = await buildService({
    snapshot,
    generation: options.generation,
    worker,
    env: options.env,
    envoyAdmin,
    runtimeDirectory: directory,
    isLiving: (generation) => livingSocket(directory, generation) !== null,
    openHoldsOfOthers: () => crew?.openHolds() ?? 0,
  });

  await service.meter.open();
  await service.recovery.start();
  await service.limits.open();
  await service.keys.open();
  await service.meter.start();
  warmUp();
  const clusters = new ProviderClusters({ directory, env: options.env, envoyAdmin });
  if (isFirst(worker)) await clusters.write(snapshot);
  const server = await startExtProc({
    gateway: service.gateway,
    address: `unix:${socketPath(directory, String(options.generation))}`,
    // The body with its frame; Envoy answers 413 itself long before.
    maxMessageBytes: snapshot.gateway.bodyLimit + 1024 * 1024,
    socketOf: (generation) => livingSocket(directory, generation),
    transport: readTransport(options.env['TOLLGATE_TRANSPORT']),
    fault: (what, error) => {
      service.metrics.count('handler_errors');
      service.log.failure(what, error);
    },
  });
  watchGauges(service, server);
  service.metrics.watchSeries('info', () => [[VERSION, String(options.generation), 1]]);
  let current = true;
  service.metrics.watch('config_last_reload_success', () => (current ? 1 : 0));
  const followed = configuration.follow({
    onChange: (changed) => void take(withMock(changed, mock)),
    onProblems: (problems) => {
      current = false;
      service.metrics.count('config_rejections');
      for (const problem of problems) service.log.write('error', `config: ${formatProblem(problem)}`);
    },
  });
  const take = async (changed: Snapshot): Promise<void> => {
    try {
      await (isFirst(worker) ? clusters.apply(changed) : clusters.follow(changed, { exact: !mocked }));
      service.use(changed);
      current = true;
      service.metrics.count('config_reloads');
      service.log.write('info', 'configuration in use', { snapshot: changed.version });
    } catch (error) {
      service.log.failure('the new configuration could not be used; the old one stays', error);
    }
  };
  if (worker.count > 1)
    crew = await joinCrew({
      place: worker,
      directory,
      generation: options.generation,
      service,
      health: (provider) => healthOf(service, provider),
      // Whether Envoy is up is the same for all: the first one asks.
      readiness: () => ({ reasons: ledgerTroubles(service), degraded: degraded(service) }),
    });
  const admin = isFirst(worker)
    ? await listenAdmin(service, options, { server, envoyAdmin, crew })
    : { address: options.adminListen ?? snapshot.admin.listen, close: () => Promise.resolve() };
  return {
    snapshot: () => service.rules().snapshot,
    adminAddress: admin.address,
    reload: async () => (await followed.reload()).map(formatProblem),
    async stop(graceMs) {
      crew?.retire();
      await admin.close();
      await followed.close();
      service.providers.stop();
      await server.stop(graceMs);
      await service.longWork.close();
      service.envoyLog.close();
      await service.recovery.stop();
      await service.meter.stop();
      await service.ledger.close();
      await service.contents?.close();
      await service.records.close();
      await service.deliveries.close();
      await service.limits.close();
      await service.keys.close();
      await mock?.close();
      await crew?.leave();
      service.log.flush();
    },
  };
}

function withMock(snapshot: Snapshot, mock: Mock | null): Snapshot {
  return mock === null ? snapshot : placeMock(snapshot, `http://${formatAddress(mock.address)}/v1`);
}

/** Where a generation listens; the name is known to the supervisor, which points Envoy's pipe to it. */
function socketPath(directory: string, generation: string): string {
  return join(directory, `extproc-${generation}.sock`);
}

function livingSocket(directory: string, generation: string): string | null {
  if (!/^\d{1,9}$/.test(generation)) return null;
  const path = socketPath(directory, generation);
  return existsSync(path) ? path : null;
}

function watchGauges(service: Service, server: ExtProcServer): void {
  const { metrics, ledger } = service;
  metrics.watch('open_requests', server.inFlight);
  metrics.watch('ext_proc_streams', server.streams);
  metrics.watch('ledger_writable', () => (ledger.writable ? 1 : 0));
  metrics.watch('ledger_waiting_entries', () => ledger.statistics.ringEntries);
  metrics.watch('ledger_open_holds', () => ledger.statistics.openHolds + service.recovery.open.length);
  metrics.watchSeries('provider_health', () => providerHealth(service));
  metrics.watchSeries('limit_used_ratio', () => limitRatios(service));
  metrics.watch('records_behind_bytes', () => service.records.state().behindBytes);
  metrics.watch('ledger_bytes', () => ledger.statistics.bytes);
}

interface AdminParts {
  readonly server: ExtProcServer;
  readonly envoyAdmin: () => Address;
  /** The other workers; null = there are none. */
  readonly crew: Crew | null;
}

/** The admin listener; its address is known at once, also while a later generation still waits for it. */
async function listenAdmin(service: Service, options: StartOptions, parts: AdminParts): Promise<RunningAdmin> {
  const { snapshot } = service.rules();
  const address = options.adminListen ?? snapshot.admin.listen;
  const { started } = startAdminListener(adminOptions(service, options, { ...parts, address }), options.generation);
  if (options.generation === 1) return started;
  started.catch((error: unknown) => service.log.failure('the admin listener could not be opened', error));
  const close = async (): Promise<void> => (await started.catch(() => null))?.close();
  return { address, close };
}

function adminOptions(
  service: Service,
  options: StartOptions,
  parts: AdminParts & { readonly address: Address },
): AdminOptions {
  const gateway = options.listen ?? service.rules().snapshot.gateway.listen;
  const { crew } = parts;
  const limits = (): Promise<readonly LimitRow[]> => new Promise((resolve) => service.rules().limiter.rows(resolve));
  const subscribe: AdminDependencies['subscribe'] = (listener) => {
    service.subscribers.add(listener);
    return () => service.subscribers.delete(listener);
  };
  const readiness = async (): Promise<Readiness> => ({
    reasons: await notReady(service, options, parts),
    degraded: degraded(service),
  });
  return {
    address: parts.address,
    token: service.rules().snapshot.admin.token,
    version: VERSION,
    dependencies: {
      records: service.records,
      snapshot: () => service.rules().snapshot,
      readiness: async () => crew?.readiness(await readiness()) ?? (await readiness()),
      metrics: crew ?? service.metrics,
      subscribe: (listener) => crew?.subscribe(listener) ?? subscribe(listener),
      verifyLedger: () => verifyLedger(service.rules().snapshot.ledger.directory),
      entries: () => recordEntries(service.records),
      exporters: () => service.deliveries.exporters.backlog(),
      alerts: () => service.deliveries.alerts.backlog(),
      keys: service.keys.desk,
      disagreements: () => service.meter.disagreements(),
      limits: () => crew?.limits() ?? limits(),
      providerHealth: (provider) => crew?.health(provider) ?? healthOf(service, provider),
      gatewayUrl: () => `http://${formatAddress(gateway)}`,
      failure: (message, error) => service.log.failure(message, error),
    },
  };
}

async function notReady(service: Service, options: StartOptions, parts: AdminParts): Promise<string[]> {
  const reasons = ledgerTroubles(service);
  // Only a supervisor gives addresses; a sidecar's Envoy is somebody else's business.
  if (options.listen !== null) {
    const live = await askEnvoy(parts.envoyAdmin(), '/ready').catch(() => null);
    if (live === null) reasons.push('Envoy does not answer');
  }
  return reasons;
}

function ledgerTroubles({ ledger }: Service): string[] {
  return ledger.writable ? [] : ['the ledger cannot be written'];
}

/** The fullest counter of each limit. */
async function limitRatios(service: Service): Promise<(readonly [string, string, number])[]> {
  const fullest = new Map<string, readonly [string, string, number]>();
  const { limiter } = service.rules();
  for (const { limit, of, state, max } of await new Promise<readonly LimitRow[]>((done) => limiter.rows(done))) {
    const ratio = Number(state.used + state.held) / Math.max(1, Number(max));
    const known = fullest.get(`${limit} ${of}`);
    if (!known || known[2] < ratio) fullest.set(`${limit} ${of}`, [limit, of, ratio]);
  }
  return [...fullest.values()];
}

/** Troubles that the service works in spite of. */
function degraded({ keys, limits, records }: Service): readonly string[] {
  const { error, behindBytes } = records.state();
  const behind = `the records are ${behindBytes} bytes of ledger behind: ${error}`;
  return [...keys.troubles, ...limits.troubles, ...(error === null ? [] : [behind])];
}

const HEALTH = { healthy: 1, unknown: 1, degraded: 0.5, ejected: 0 } as const;

function providerHealth(service: Service): (readonly [string, number])[] {
  const names = [...service.rules().snapshot.providers.keys()];
  return names.map((name) => [name, HEALTH[service.health.view(name, Date.now()).health]]);
}

function healthOf(service: Service, provider: string): ProviderHealth {
  const view = service.health.view(provider, Date.now());
  const until = view.ejectedUntil === null ? null : new Date(view.ejectedUntil).toISOString();
  return { health: view.health, ejected_until: until, error_rate: view.errorRate };
}
