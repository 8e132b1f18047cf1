import { Counter, Gauge, type Registry } from 'prom-client';
import { BoundedLabel } from './bounded-label.js';

/** Values of several things, read when the metrics are. */
const SERIES = {
  info: {
    help: 'Always 1: version and service generation of the process that answers',
    labels: ['version', 'generation'],
  },
  provider_health: {
    help: 'Health of a provider: 1 healthy, 0.5 with targets in trouble, 0 put last',
    labels: ['provider'],
  },
  limit_used_ratio: {
    help: 'Used and held ÷ max of the fullest counter of a limit',
    labels: ['limit', 'of'],
  },
  event_loop_delay_seconds: {
    help: 'How late the event loop was since the scrape before, by quantile; 1 is the longest',
    labels: ['quantile'],
  },
  export_waiting_entries: { help: 'Ledger entries that an exporter has not sent yet', labels: ['exporter'] },
  export_oldest_seconds: { help: 'Age of the oldest entry that an exporter has not sent yet', labels: ['exporter'] },
} as const;

/** Things that are counted by kind. */
const KINDS = {
  ledger_disagreements: { help: "Differences between Envoy's access log and the ledger", label: 'kind' },
  alerts: { help: 'Alerts by what became of them', label: 'outcome' },
  export_events: { help: 'Events by what became of them', label: 'outcome' },
  usage_remarks: { help: 'Usage that was booked with a remark', label: 'remark' },
} as const;

export type SeriesName = keyof typeof SERIES;
export type KindName = keyof typeof KINDS;
/** Label values in the order of the series' labels, then the value. */
export type Sample = readonly [...labels: string[], value: number];

const MOST_VALUES = 1000;

/** `tollgate_<name>` for each series; what is not watched shows nothing. */
export function createSeriesGauges(registry: Registry) {
  const readers = new Map<SeriesName, () => Iterable<Sample> | Promise<Iterable<Sample>>>();
  for (const name of Object.keys(SERIES) as SeriesName[]) {
    const { help, labels } = SERIES[name];
    const bounded = labels.map(() => new BoundedLabel(MOST_VALUES));
    new Gauge({
      name: `tollgate_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      async collect() {
        const samples = (await readers.get(name)?.()) ?? [];
        this.reset();
        for (const sample of samples) {
          const values = labels.map((label, at) => [label, bounded[at]?.admit(String(sample[at])) ?? ''] as const);
          this.set(Object.fromEntries(values), Number(sample.at(-1)));
        }
      },
    });
  }
  return readers;
}

/** `tollgate_<name>_total` for each kind of thing. */
export function createKindCounters(registry: Registry): (name: KindName, kind: string) => void {
  const counters = new Map<
    KindName,
    { readonly counter: Counter; readonly label: string; readonly kinds: BoundedLabel }
  >();
  for (const name of Object.keys(KINDS) as KindName[]) {
    const { help, label } = KINDS[name];
    const counter = new Counter({ name: `tollgate_${name}_total`, help, labelNames: [label], registers: [registry] });
    counters.set(name, { counter, label, kinds: new BoundedLabel(MOST_VALUES) });
  }
  return (name, kind) => {
    const found = counters.get(name);
    found?.counter.inc({ [found.label]: found.kinds.admit(kind) });
  };
}
