import { setImmediate as turn } from 'node:timers/promises';
import { USAGE_CLASSES, type UsageClass } from '../../dialects/usage.js';
import { columnText } from './column-text.js';
import { longestMs } from './list-requests.js';
import type { UsageQuery } from './record.js';
import { type SpanPiece, spanPieces } from './span-pieces.js';
import type { Database, Row, Session, Value } from './sql/database.js';
import { labelOf } from './sql/label.js';
import { SUM_COLUMNS, USAGE_COLUMNS } from './sql/tables.js';
import { UsageReport, type UsageRow } from './usage-report.js';
import { DAY_MS } from './write-batch.js';

const MOST_GROUPS = 50_000;
const LONGEST_MS = 10_000;

/** Columns of `dimensions` by their names in `by`; every other name is a label. */
const COLUMNS: ReadonlyMap<string, string> = new Map([
  ['model', 'd.model'],
  ['target', 'd.target'],
  ['provider', 'd.provider'],
  ['key', 'd.key_id'],
  ['user', 'd.end_user'],
  ['endpoint', 'd.endpoint'],
  ['status', 'cast(d.status as text)'],
  ['code', 'd.code'],
]);

/** The columns of `rollups`, made from single requests. */
const COUNTED: Readonly<Record<string, string>> = {
  requests: 'count(*)',
  errors: 'sum(case when status >= 400 then 1 else 0 end)',
  estimated_requests: `sum(case when usage_source in ('estimated', 'mixed') then 1 else 0 end)`,
  priced_requests: `sum(case when cost_nano_usd is not null and type in ('settle', 'estimate') then 1 else 0 end)`,
  unpriced_requests: 'sum(case when cost_nano_usd is null then 1 else 0 end)',
  cost_nano_usd: 'coalesce(sum(cost_nano_usd), 0)',
};

/**
 * Sums by the names in `by`, exact to the millisecond as far as single requests are kept, to the hour before that. Between two
 * statements others get their turn. Rejects with RangeError when there are too many groups, or when it takes too long.
 */
export async function sumUsage(session: Session, query: UsageQuery): Promise<readonly UsageRow[]> {
  const report = new UsageReport(query.by);
  const until = performance.now() + LONGEST_MS;
  const longest = await longestMs(session);
  for (const piece of await piecesOf(session, query)) {
    const [sql, values] = statement(query.by, { piece, longest, kind: session.kind });
    for (const row of await session.query(sql, values)) addRow(report, query.by, row);
    if (report.groups > MOST_GROUPS) throw new RangeError(`more than ${MOST_GROUPS} groups: ask for fewer names`);
    if (performance.now() > until) throw new RangeError('this takes too long: ask for a shorter span');
    await turn();
  }
  return report.rows();
}

/** An open end goes to where the sums end. */
async function piecesOf(session: Session, query: UsageQuery): Promise<SpanPiece[]> {
  const [known] = await session.query('select min(start) as first, max(start) as last from rollups where step = ?', [
    DAY_MS,
  ]);
  if (known?.['first'] === null || known?.['first'] === undefined) return [];
  const [first, last] = [Number(known['first']), Number(known['last']) + DAY_MS];
  const [row] = await session.query('select coalesce(max(requests_from), 0) as bound from sources');
  const bound = Number(row?.['bound'] ?? 0);
  return spanPieces(Math.max(query.from ?? first, first), Math.min(query.to ?? last, last), bound);
}

interface Sum {
  readonly piece: SpanPiece;
  /** Milliseconds of the longest request. */
  readonly longest: number;
  readonly kind: Database['kind'];
}

function statement(by: readonly string[], { piece, longest, kind }: Sum): readonly [string, readonly Value[]] {
  const labels: Value[] = [];
  const names = by.map((name) => {
    const column = COLUMNS.get(name);
    if (column !== undefined) return column;
    labels.push(columnText(name));
    return `coalesce(${labelOf('d.labels', kind)}, '')`;
  });
  const groups = names.map((name, at) => `${name} as group_${at}, `).join('');
  const sums = SUM_COLUMNS.map((name) => `sum(s.${name}) as ${name}`).join(', ');
  const grouped = by.length === 0 ? '' : `group by ${by.map((_name, at) => at + 1).join(', ')}`;
  const [source, values] = piece.step === 'requests' ? fromRequests(piece, longest) : fromRollups(piece, piece.step);
  const sql = `select ${groups}${sums} from (${source}) s join dimensions d on d.dimension = s.dimension ${grouped}`;
  return [sql, [...labels, ...values]];
}

function fromRollups({ from, to }: SpanPiece, step: number): readonly [string, readonly Value[]] {
  const sums = SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ');
  const where = 'step = ? and start >= ? and start < ?';
  return [`select dimension, ${sums} from rollups where ${where} group by dimension`, [step, from, to]];
}

function fromRequests({ from, to }: SpanPiece, longest: number): readonly [string, readonly Value[]] {
  const sums = SUM_COLUMNS.map((name) => `${COUNTED[name] ?? `sum(${name})`} as ${name}`).join(', ');
  const where = 'finished >= ? and finished <= ? and time >= ? and time < ?';
  return [`select dimension, ${sums} from requests where ${where} group by dimension`, [from, to + longest, from, to]];
}

function addRow(report: UsageReport, by: readonly string[], row: Row): void {
  // Without groups there is one row, also over nothing.
  if (row['requests'] === null) return;
  const names = by.map((_name, at) => String(row[`group_${at}`] ?? ''));
  const tokens = new Map<UsageClass, bigint>();
  for (const [at, name] of USAGE_CLASSES.entries()) {
    const count = BigInt(row[USAGE_COLUMNS[at] ?? ''] ?? 0);
    if (count > 0n) tokens.set(name, count);
  }
  report.addTotals(names, {
    requests: Number(row['requests']),
    errors: Number(row['errors']),
    estimated: Number(row['estimated_requests']),
    priced: Number(row['priced_requests']),
    unpriced: Number(row['unpriced_requests']),
    cost: BigInt(row['cost_nano_usd'] ?? 0),
    tokens,
  });
}
