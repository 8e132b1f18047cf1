import type { SeriesName } from '../../observability/labelled.js';
import type { GaugeName } from '../../observability/metrics.js';

/** How the values of several processes become one. */
type Rule = 'sum' | 'least' | 'most' | 'first';

/** By meaning. A new gauge has to say what it is. */
const OURS: Readonly<Record<`tollgate_${GaugeName | SeriesName}`, Rule>> = {
  tollgate_open_requests: 'sum',
  tollgate_ext_proc_streams: 'sum',
  tollgate_ledger_writable: 'least',
  tollgate_ledger_waiting_entries: 'sum',
  tollgate_ledger_open_holds: 'sum',
  tollgate_ledger_bytes: 'sum',
  tollgate_limit_store_reachable: 'least',
  tollgate_long_work_waiting_bytes: 'sum',
  tollgate_records_behind_bytes: 'most',
  tollgate_config_last_reload_success: 'least',
  // Told apart by their generation.
  tollgate_info: 'first',
  tollgate_provider_health: 'least',
  // The counters are in one store.
  tollgate_limit_used_ratio: 'most',
  tollgate_event_loop_delay_seconds: 'most',
  tollgate_export_waiting_entries: 'most',
  tollgate_export_oldest_seconds: 'most',
};

/** Node's and the process's own: memory and handles add up, delays do not. */
const OTHERS: readonly (readonly [RegExp, Rule])[] = [
  [/^nodejs_eventloop_lag_min_/, 'least'],
  [/^nodejs_(eventloop|version)_?/, 'most'],
  [/^process_(start_time_seconds|max_fds)$/, 'first'],
];

interface Family {
  readonly head: string[];
  readonly rule: Rule;
  /** By name and labels. */
  readonly samples: Map<string, number>;
}

/**
 * One Prometheus page of the pages of several processes: counters and histograms are summed, gauges by their meaning; the first
 * page decides where nothing else can. Of processes that have ended pass what they had counted, so that no sum goes down.
 */
export function mergeMetrics(pages: readonly string[]): string {
  const families = new Map<string, Family>();
  for (const page of pages) addPage(families, page);
  const lines: string[] = [];
  for (const { head, samples } of families.values()) {
    lines.push(...head);
    for (const [key, value] of samples) lines.push(`${key} ${text(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Samples belong to the `# TYPE` above them. */
function addPage(families: Map<string, Family>, page: string): void {
  let help: string | null = null;
  let family: Family | null = null;
  for (const line of page.split('\n')) {
    if (line.startsWith('# HELP ')) help = line;
    else if (line.startsWith('# TYPE ')) {
      family = familyOf(families, line, help);
      help = null;
    } else if (line !== '' && !line.startsWith('#') && family) addSample(family, line);
  }
}

function familyOf(families: Map<string, Family>, typeLine: string, help: string | null): Family {
  const [, , name = '', type = ''] = typeLine.split(' ');
  let family = families.get(name);
  if (family === undefined) {
    const head = help === null ? [typeLine] : [help, typeLine];
    family = { head, rule: type === 'gauge' ? ruleOf(name) : 'sum', samples: new Map() };
    families.set(name, family);
  }
  return family;
}

function ruleOf(name: string): Rule {
  const ours: Readonly<Record<string, Rule>> = OURS;
  return ours[name] ?? OTHERS.find(([pattern]) => pattern.test(name))?.[1] ?? 'sum';
}

/** `name{labels} value`; label values may hold spaces, the value does not. */
function addSample({ rule, samples }: Family, line: string): void {
  const end = line.lastIndexOf(' ');
  const key = line.slice(0, end);
  const value = number(line.slice(end + 1));
  const before = samples.get(key);
  samples.set(key, before === undefined ? value : joined(rule, before, value));
}

function joined(rule: Rule, one: number, other: number): number {
  if (rule === 'sum') return one + other;
  if (rule === 'least') return Math.min(one, other);
  return rule === 'most' ? Math.max(one, other) : one;
}

function number(value: string): number {
  return value === '+Inf' ? Number.POSITIVE_INFINITY : value === '-Inf' ? Number.NEGATIVE_INFINITY : Number(value);
}

function text(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
