import { availableParallelism } from 'node:os';
import { catalogueDetails, catalogueModels } from '../accounting/catalogue-models.js';
import { EnvoyLog } from '../accounting/envoy-log.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import { type FileLedger, openLedger } from '../accounting/ledger/open-ledger.js';
import { currentOwner } from '../accounting/ledger/owner.js';
import { shareOf } from '../accounting/ledger/share.js';
import { type ContentSpool, openContentSpool } from '../accounting/records/content/content-spool.js';
import { contentDirectory, createRecords, type Records } from '../accounting/records/create-records.js';
import type { Keeping } from '../accounting/records/record.js';
import { createRecovery, type Recovery } from '../accounting/recovery/create-recovery.js';
import { loadO200k } from '../accounting/tokens/load-o200k.js';
import { createTokenCounter } from '../accounting/tokens/token-counter.js';
import type { Address, Snapshot } from '../config/snapshot.js';
import { envoyStartTime, reopenLogs } from '../envoy/envoy-admin.js';
import { clusterName, providerOfCluster, upgradeClusterName } from '../envoy/names.js';
import { standardPaths } from '../envoy/options.js';
import { Gateway } from '../gateway/gateway.js';
import type { LongWork } from '../gateway/long-work/long-work.js';
import type { Rules } from '../gateway/parts.js';
import { createLog, type Log, readLogLevel } from '../observability/log.js';
import { watchLoopDelay } from '../observability/loop-delay.js';
import { createMetrics, type Metrics } from '../observability/metrics.js';
import { createRedact } from '../observability/redact.js';
import { createBadKeyGuard } from '../policy/keys/bad-key-guard.js';
import { createRetryBudget } from '../policy/routing/retry-budget.js';
import { credentialHeaderNames } from '../providers/credentials/header.js';
import { createHealth } from '../providers/health/create-health.js';
import type { Health } from '../providers/health/health.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { type Deliveries, openDeliveries } from './deliveries.js';
import { KeyService } from './keys.js';
import { LimitService } from './limits.js';
import { createThreadPool } from './long-work/thread-pool.js';
import { ProviderService } from './providers.js';
import { createReporter } from './reporter.js';
import { compileRules } from './rules.js';
import { SecondMeter } from './second-meter.js';
import { NO_RECORDS } from './workers/no-records.js';
import { isFirst, type WorkerPlace } from './workers/worker-place.js';

/** For long bodies, where there are cores: beside the event loop, Envoy and the records. */
const MOST_THREADS = 2;
/** A finished request is in the records within 500 ms; Envoy flushes its logs every 50. */
const LOG_PATIENCE_MS = 300;
/** What an operator is told of the ledger's troubles. */
const LEDGER_EVENTS: Readonly<Record<string, 'ledger_unwritable' | 'ledger_writable'>> = {
  write_failed: 'ledger_unwritable',
  write_recovered: 'ledger_writable',
};
/** Extra attempts per minute that a model has whatever its traffic: a share of little is nothing. */
const FREE_RETRIES = 20;
/** A start does not wait longer for the first tokens of cloud providers. */
const TOKEN_PATIENCE_MS = 3000;

export interface ServiceOptions {
  readonly snapshot: Snapshot;
  readonly generation: number;
  readonly worker: WorkerPlace;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envoyAdmin: () => Address;
  /** Absolute, existing. */
  readonly runtimeDirectory: string;
  /** Whether the service generation of this number still runs. */
  readonly isLiving: (generation: string) => boolean;
  /** Holds that other workers have to recover. */
  readonly openHoldsOfOthers: () => number;
}

/** The parts of one service process, built in the order in which they need each other. */
export interface Service {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ledger: FileLedger;
  readonly records: Records;
  readonly recovery: Recovery;
  readonly limits: LimitService;
  readonly keys: KeyService;
  readonly meter: SecondMeter;
  readonly deliveries: Deliveries;
  /** Prompts and answers on their way to the records; null = not kept. */
  readonly contents: ContentSpool | null;
  readonly envoyLog: EnvoyLog;
  readonly health: Health;
  readonly providers: ProviderService;
  readonly longWork: LongWork;
  readonly gateway: Gateway;
  rules(): Rules;
  /** From now on new requests follow this snapshot; running ones keep theirs. */
  use(snapshot: Snapshot): void;
  readonly subscribers: Set<(entry: FinalEntry) => void>;
}

export async function buildService(options: ServiceOptions): Promise<Service> {
  const { env, worker } = options;
  const isMine = shareOf(worker);
  const { ledger: settings } = options.snapshot;
  const { accessLogPath, attemptLogPath } = standardPaths(options.snapshot);
  const format = process.stdout.isTTY ? 'pretty' : 'json';
  let current = options.snapshot;
  const log = createLog({
    level: readLogLevel(env),
    format,
    redact: createRedact(() => secretsOf(current)),
    sink: null,
  });
  const metrics = createMetrics();
  const ledger = openLedger({
    directory: settings.directory,
    syncMs: settings.syncMs,
    owner: { ...currentOwner(), worker: worker.index },
    now: Date.now,
    onProblem: (problem) => {
      if (problem.kind === 'write_failed') metrics.count('ledger_write_errors');
      const event = LEDGER_EVENTS[problem.kind];
      if (event) alerts.raise({ kind: event });
      log.failure(`ledger: ${problem.message}`, problem.error, { kind: problem.kind });
    },
  });
  const deliveries = openDeliveries({ snapshot: () => current, metrics, log }, worker);
  const { alerts } = deliveries;
  const limits = await LimitService.create({
    snapshot: options.snapshot,
    generation: options.generation,
    worker,
    isMine,
    runtimeDirectory: options.runtimeDirectory,
    ledger,
    metrics,
    log,
    onThreshold: (threshold) => alerts.raise({ kind: 'limit_threshold', ...threshold }),
    onStore: (isReachable) => alerts.raise({ kind: isReachable ? 'limit_store_up' : 'limit_store_down' }),
  });
  const tokens = createTokenCounter({
    load: loadO200k,
    now: () => performance.now(),
    onProblem: (error) => log.failure('the tokenizer cannot be loaded: words are counted instead', error),
  });
  const keys = new KeyService({ snapshot: () => current, log });
  const compile = (snapshot: Snapshot): Rules =>
    compileRules({
      snapshot,
      kinds: PROVIDER_KINDS,
      modelsOf: catalogueModels,
      detailsOf: catalogueDetails,
      listed: (provider) => providers.listed(provider),
      keys: keys.ringFor(snapshot),
      limiter: limits.limiterFor(snapshot),
      now: Date.now(),
    });
  if (countsTokens(current)) await tokens.prepare();
  let rules = compile(current);
  const records = isFirst(worker) ? recordsOf(options.snapshot, log) : NO_RECORDS;
  const subscribers = new Set<(entry: FinalEntry) => void>();
  const tellSubscribers = (entry: FinalEntry): void => {
    for (const subscriber of subscribers) subscriber(entry);
  };
  const report = createReporter({
    log,
    metrics,
    listeners: [
      () => records.poke(),
      tellSubscribers,
      (entry) => meter.finished(entry),
      (entry) => alerts.requestFinished(entry),
      (entry) => {
        if (entry.code === 'unpriced_model') alerts.raise({ kind: 'unpriced_model', target: entry.model });
      },
    ],
    account: (provider) => current.providers.get(provider),
    onCredentialRefused: (provider) => alerts.raise({ kind: 'provider_auth', provider }),
  });
  const meter = new SecondMeter({
    snapshot: options.snapshot,
    generation: String(options.generation),
    isFirst: isFirst(worker),
    isLiving: options.isLiving,
    reopenLogs: () => reopenLogs(options.envoyAdmin()),
    openHolds: () => recovery.open.length + options.openHoldsOfOthers(),
    onDisagreement: (disagreement) => metrics.countKind('ledger_disagreements', disagreement.kind),
    onProblem: (message, error) => log.failure(message, error),
  });
  const recovery = createRecovery({
    directory: settings.directory,
    isMine,
    accessLogPath,
    ledger,
    prices: { find: (target, at) => rules.prices.find(target, at) },
    providerOf: providerOfCluster,
    widths: meter.widths,
    now: Date.now,
    envoyStart: () => envoyStartTime(options.envoyAdmin()).catch(() => null),
    onRecovered: (entry) => {
      limits.ended(entry);
      report.finished(entry);
    },
    onProblem: (message, error) => log.failure(message, error),
  });
  let rotation = 0;
  const envoyLog = new EnvoyLog(
    {
      accessLogPath,
      attemptLogPath,
      patienceMs: LOG_PATIENCE_MS,
    },
    () => performance.now(),
  );
  const health = createHealth();
  const providers = new ProviderService({ env, log, health });
  const contents = options.snapshot.records.content
    ? openContentSpool({
        directory: contentDirectory(options.snapshot.dataDirectory),
        onProblem: (message, error) => log.failure(message, error),
      })
    : null;
  const longWork = createThreadPool({
    threads: Math.min(MOST_THREADS, availableParallelism() - 1),
    onProblem: (message) => log.write('error', message),
  });
  metrics.watch('long_work_waiting_bytes', longWork.waitingBytes);
  const loopDelay = watchLoopDelay();
  metrics.watchSeries('event_loop_delay_seconds', () => loopDelay.read());
  const gateway = new Gateway({
    envoyLog,
    health,
    retryBudget: createRetryBudget({ floor: FREE_RETRIES }),
    random: Math.random,
    rules: () => rules,
    kinds: PROVIDER_KINDS,
    credentials: providers.credentials,
    credentialHeaders: credentialHeaderNames(PROVIDER_KINDS.values()),
    ledger,
    report,
    clock: { now: Date.now, monotonic: () => performance.now() },
    clusterOf: clusterName,
    upgradeClusterOf: upgradeClusterName,
    generation: String(options.generation),
    tokens,
    longWork,
    content: contents && { write: (content) => contents.write(content) || metrics.count('contents_dropped') },
    badKeys: createBadKeyGuard({ now: () => performance.now() }),
    rotation: () => rotation++,
  });
  providers.use(current);
  await providers.ready(TOKEN_PATIENCE_MS);
  const use = (snapshot: Snapshot): void => {
    if (countsTokens(snapshot)) void tokens.prepare();
    rules = compile(snapshot);
    current = snapshot;
    records.use(keepingOf(snapshot));
    deliveries.exporters.use(snapshot.exporters);
    providers.use(snapshot);
  };
  return {
    log,
    metrics,
    ledger,
    records,
    recovery,
    limits,
    keys,
    meter,
    deliveries,
    contents,
    envoyLog,
    health,
    providers,
    longWork,
    gateway,
    rules: () => rules,
    use,
    subscribers,
  };
}

function recordsOf(snapshot: Snapshot, log: Log): Records {
  return createRecords({
    directory: snapshot.ledger.directory,
    settings: snapshot.records,
    retention: keepingOf(snapshot),
    dataDirectory: snapshot.dataDirectory,
    onProblem: (message) => log.write('error', message),
  });
}

/** Whether some rule needs tokens before a provider has counted them: then the tokenizer is loaded at once. */
function countsTokens({ limits, routes }: Snapshot): boolean {
  const named = [...limits, ...routes].some((rule) => rule.when?.source.includes('input_tokens'));
  return named || limits.some((rule) => rule.tokens !== null || rule.cost !== null);
}

/** Segments of the ledger go only when every exporter has read them. */
function keepingOf({ retention, exporters }: Snapshot): Keeping {
  return { ...retention, exporters: exporters.map(({ name }) => name) };
}

function* secretsOf(snapshot: Snapshot) {
  for (const account of snapshot.providers.values())
    for (const { secret, source } of account.credentials) {
      yield secret;
      if (source?.kind === 'aws-keys' && source.sessionToken) yield source.sessionToken;
    }
  for (const secret of [snapshot.admin.token, snapshot.admin.pepper, snapshot.records.url]) if (secret) yield secret;
}
