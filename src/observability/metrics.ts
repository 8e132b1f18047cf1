import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createKindCounters, createSeriesGauges, type KindName, type Sample, type SeriesName } from './labelled.js';
import { RESOLUTION_MS } from './loop-delay.js';
import { type RequestFacts, RequestMetrics } from './request-metrics.js';

/** Values that somebody else holds and that are read when the metrics are. */
const GAUGES = {
  open_requests: 'Requests between their headers and their settlement',
  ext_proc_streams: 'Open gRPC streams from Envoy',
  ledger_writable: '1 while the ledger takes entries',
  ledger_waiting_entries: 'Final entries that wait in memory for a disk that refuses',
  ledger_open_holds: 'Requests with a hold and no final entry yet',
  ledger_bytes: 'Size of all segments',
  limit_store_reachable: '1 while the counters of limits can be asked',
  long_work_waiting_bytes: 'Bytes of long bodies that wait for a thread',
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
  /** Counters and histograms alone, in the same format: nobody else is asked for a value. */
  totals(): Promise<string>;
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Names and labels: design 1.9. Process metrics and the event loop's delay come with it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  // The library's own look at the event loop, too, wakes an idle process.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: RESOLUTION_MS });
  const requests = new RequestMetrics();
  const events = createEvents(registry);
  const readers = createGauges(registry);
  const labelled = createSeriesGauges(registry);
  return {
    requestFinished: (facts) => requests.finished(facts),
    attempt: (provider, outcome) => requests.attempt(provider, outcome),
    overhead: (seconds) => requests.overhead(seconds),
    count: (event) => events.get(event)?.inc(),
    watch: (gauge, read) => void readers.set(gauge, read),
    watchSeries: (name, read) => void labelled.set(name, read),
    countKind: createKindCounters(registry),
    render: async () => `${requests.render()}\n${await registry.metrics()}`,
    totals: async () => [requests.render(), ...(await Promise.all(sums(registry)))].join('\n\n'),
  };
}

function sums(registry: Registry): readonly Promise<string>[] {
  const summed = registry
    .getMetricsAsArray()
    .filter((metric) => metric instanceof Counter || metric instanceof Histogram);
  return summed.map(({ name }) => registry.getSingleMetricAsString(name));
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
