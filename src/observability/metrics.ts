import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { BoundedLabel, OTHER } from './bounded-label.js';
import * as genAi from './gen-ai.js';
import { createKindCounters, createSeriesGauges, type KindName, type Sample, type SeriesName } from './labelled.js';

/** A finished request as the metrics need it; a final ledger entry has all but the last three fields. */
export interface RequestFacts {
  readonly endpoint: string;
  /** What the client got; 499 when it left before the answer. */
  readonly status: number;
  readonly stream: boolean;
  /** Tokens by class, not overlapping; empty when unknown. */
  readonly usage: Readonly<Partial<Record<string, number>>>;
  readonly usage_source: string | null;
  readonly cost_nano_usd: number | null;
  readonly first_token_ms: number | null;
  readonly ms: number;
  readonly target: string | null;
  readonly answered_model: string | null;
  /** With the fault's prefix: `policy.model_not_allowed`; null on success. */
  readonly code: string | null;
  /** Configured name and kind of the provider that answered; null when none did. */
  readonly provider: string | null;
  readonly provider_kind: string | null;
}

/** Values that somebody else holds and that are read when the metrics are. */
const GAUGES = {
  open_requests: 'Requests between their headers and their settlement',
  ext_proc_streams: 'Open gRPC streams from Envoy',
  ledger_writable: '1 while the ledger takes entries',
  ledger_waiting_entries: 'Final entries that wait in memory for a disk that refuses',
  ledger_open_holds: 'Requests with a hold and no final entry yet',
  ledger_bytes: 'Size of all segments',
  limit_store_reachable: '1 while the counters of limits can be asked',
  records_behind_bytes: 'Bytes of the ledger that are not in the records yet',
  config_last_reload_success: '1 when the newest configuration is in use, 0 when it was rejected',
} as const;

/** Things that are counted without labels. */
const EVENTS = {
  handler_errors: 'Exceptions in handlers of ext_proc messages; each ended only its own stream',
  config_reloads: 'New configurations taken into use',
  config_rejections: 'New configurations that were not valid; the old one stayed',
  ledger_write_errors: 'Writes that the disk refused',
  provider_auth_failures: 'Attempts at which a provider refused the credential configured for it',
  unpriced_requests: 'Requests with usage and no known price',
  limits_shadowed: 'Requests that a limit with action shadow would have refused',
  limits_overshot: 'Requests that used more than was held for them',
  limit_store_seeds: 'Times that the shared store of limits was empty and was told what the ledger knows',
  contents_dropped: 'Prompts and answers that were not kept because too much waited for the disk',
  limit_settlements_lost: 'Settlements given up because too many waited for the store; their holds count in full',
} as const;

export type GaugeName = keyof typeof GAUGES;
export type EventName = keyof typeof EVENTS;

/** All that the service counts. Never throws; labels are bounded whatever comes in. */
export interface Metrics {
  requestFinished(facts: RequestFacts): void;
  attempt(provider: string, outcome: string): void;
  /** Seconds that the service held a request before it could leave for its provider. */
  overhead(seconds: number): void;
  count(event: EventName): void;
  /** `read` is called at each scrape; a later one replaces an earlier one. */
  watch(gauge: GaugeName, read: () => number): void;
  /** The same for several things. */
  watchSeries(series: SeriesName, read: () => Iterable<Sample> | Promise<Iterable<Sample>>): void;
  countKind(name: KindName, kind: string): void;
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>;
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

const MOST_MODELS = 1000;
const MOST_PROVIDERS = 200;
const MOST_CODES = 200;
const OVERHEAD_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Names and labels: design 1.9. Process metrics and the event loop's delay come with it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const series = createSeries(registry);
  const events = createEvents(registry);
  const readers = createGauges(registry);
  const labelled = createSeriesGauges(registry);
  const providers = new BoundedLabel(MOST_PROVIDERS);
  return {
    requestFinished: createRequestFinished(series, providers),
    attempt: (provider, outcome) => series.attempts.inc({ provider: providers.admit(provider), outcome }),
    overhead: (seconds) => series.overhead.observe(seconds),
    count: (event) => events.get(event)?.inc(),
    watch: (gauge, read) => void readers.set(gauge, read),
    watchSeries: (name, read) => void labelled.set(name, read),
    countKind: createKindCounters(registry),
    render: () => registry.metrics(),
  };
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const registers = [registry];
  const common = [
    'gen_ai_operation_name',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'gen_ai_response_model',
  ] as const;
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: readonly number[],
  ) => new Histogram<Label>({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers });
  const counter = <Label extends string>(name: string, help: string, ...labelNames: readonly Label[]) =>
    new Counter<Label>({ name, help, labelNames: [...labelNames], registers });
  return {
    tokens: histogram(
      'gen_ai_client_token_usage',
      'Tokens of a request by type. Types do not overlap: input leaves out cached_input and cache_creation_input, output leaves out reasoning',
      [...common, 'gen_ai_token_type'],
      genAi.TOKEN_BUCKETS,
    ),
    duration: histogram(
      'gen_ai_server_request_duration_seconds',
      'From the request to the end of its answer',
      [...common, 'error_type'],
      genAi.DURATION_BUCKETS,
    ),
    firstToken: histogram(
      'gen_ai_server_time_to_first_token_seconds',
      'From the request to the first token of a stream',
      common,
      genAi.FIRST_TOKEN_BUCKETS,
    ),
    perToken: histogram(
      'gen_ai_server_time_per_output_token_seconds',
      'Time per output token of a stream after the first one',
      common,
      genAi.PER_TOKEN_BUCKETS,
    ),
    cost: counter('tollgate_cost_usd_total', 'Dollars', 'provider', 'model'),
    requests: counter('tollgate_requests_total', 'Finished requests by code: ok, or whose fault and what', 'code'),
    attempts: counter('tollgate_attempts_total', 'Tries at a provider', 'provider', 'outcome'),
    usageSource: counter('tollgate_usage_source_total', 'Requests by the origin of their usage', 'source'),
    overhead: histogram('tollgate_overhead_seconds', 'Time the service held a request', [], OVERHEAD_BUCKETS),
  };
}

function createEvents(registry: Registry): ReadonlyMap<string, Counter> {
  return new Map(
    Object.entries(EVENTS).map(([event, help]) => [
      event,
      new Counter({ name: `tollgate_${event}_total`, help, registers: [registry] }),
    ]),
  );
}

function createGauges(registry: Registry): Map<GaugeName, () => number> {
  const readers = new Map<GaugeName, () => number>();
  for (const [name, help] of Object.entries(GAUGES)) {
    const gauge = new Gauge({
      name: `tollgate_${name}`,
      help,
      registers: [registry],
      collect() {
        const read = [...readers].find(([known]) => known === name)?.[1];
        // Nobody watches it yet: a 0 would be a statement.
        if (read === undefined) this.remove();
        else this.set(read());
      },
    });
    gauge.remove();
  }
  return readers;
}

function createRequestFinished(series: Series, providers: BoundedLabel): Metrics['requestFinished'] {
  const models = new BoundedLabel(MOST_MODELS);
  const answeredModels = new BoundedLabel(MOST_MODELS);
  const codes = new BoundedLabel(MOST_CODES);
  return (facts) => {
    const code = codes.admit(facts.code ?? 'ok');
    series.requests.inc({ code });
    if (facts.usage_source !== null) series.usageSource.inc({ source: facts.usage_source });
    const model = modelLabel(models, facts);
    if (facts.cost_nano_usd !== null && facts.cost_nano_usd > 0) {
      series.cost.inc({ provider: providers.admit(facts.provider ?? OTHER), model }, facts.cost_nano_usd / 1e9);
    }
    const labels = {
      gen_ai_operation_name: genAi.operationName(facts.endpoint),
      gen_ai_provider_name: providers.admit(genAi.providerName(facts.provider_kind ?? facts.provider ?? OTHER)),
      gen_ai_request_model: model,
      gen_ai_response_model: answeredModels.admit(facts.answered_model ?? OTHER),
    };
    series.duration.observe(facts.code === null ? labels : { ...labels, error_type: code }, facts.ms / 1000);
    observeTokens(series, labels, facts);
  };
}

/** The target's model; `other` until a provider has answered for it, so that invented names stay out. */
function modelLabel(models: BoundedLabel, facts: RequestFacts): string {
  if (facts.target === null) return OTHER;
  const model = facts.target.slice(facts.target.indexOf('/') + 1);
  return facts.status < 400 ? models.admit(model) : models.known(model);
}

type CommonLabels = Record<
  'gen_ai_operation_name' | 'gen_ai_provider_name' | 'gen_ai_request_model' | 'gen_ai_response_model',
  string
>;

function observeTokens(series: Series, labels: CommonLabels, facts: RequestFacts): void {
  const sum = (...classes: readonly string[]): number =>
    classes.reduce((total, name) => total + (facts.usage[name] ?? 0), 0);
  const observe = (type: string, tokens: number): void =>
    series.tokens.observe({ ...labels, gen_ai_token_type: type }, tokens);
  const output = sum('output', 'output_audio');
  const rare = {
    cached_input: sum('cache_read'),
    cache_creation_input: sum('cache_write_5m', 'cache_write_1h'),
    reasoning: sum('reasoning'),
  };
  if (facts.usage_source !== null) {
    observe('input', sum('input', 'input_audio', 'input_image'));
    observe('output', output);
    for (const [type, tokens] of Object.entries(rare)) if (tokens > 0) observe(type, tokens);
  }
  if (!facts.stream || facts.first_token_ms === null) return;
  series.firstToken.observe(labels, facts.first_token_ms / 1000);
  const later = output + rare.reasoning - 1;
  if (later > 0) series.perToken.observe(labels, (facts.ms - facts.first_token_ms) / 1000 / later);
}
