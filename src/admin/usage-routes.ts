import { setImmediate } from 'node:timers/promises';
import { FocusReport } from '../accounting/reports/focus.js';
import { usageCsv } from '../accounting/reports/usage-csv.js';
import type { UsageQuery } from './ports.js';
import { AdminError, json, type Reply } from './reply.js';
import type { Call, Route } from './route.js';

const BY = 'Fields, comma-separated: model, target, provider, key, user, endpoint, or any label; default model';
const FORMAT = 'json (default), csv, or focus: charges by the hour as FOCUS 1.2 has them';

/** What was used and what it cost. */
export const usageRoutes: readonly Route[] = [
  {
    path: '/api/v1/usage',
    summary: 'Requests, tokens and cost, summed by fields',
    access: 'token',
    query: { from: 'ISO 8601, inclusive', to: 'ISO 8601, exclusive', by: BY, format: FORMAT },
    handle: usage,
  },
];

async function usage({ query, dependencies }: Call): Promise<Reply> {
  const format = query.choice('format', ['json', 'csv', 'focus']) ?? 'json';
  const question = { from: query.time('from'), to: query.time('to'), by: query.names('by') };
  if (format === 'focus') return focus(question, dependencies);
  const by = question.by.length === 0 ? ['model'] : question.by;
  const rows = await dependencies.records.usage({ ...question, by });
  return format === 'json' ? json(200, { data: rows }) : csv(usageCsv({ rows, by }));
}

async function focus(question: UsageQuery, { entries }: Call['dependencies']): Promise<Reply> {
  if (entries === undefined) throw new AdminError(404, 'not_found', 'This gateway keeps no entries to report on.');
  const report = new FocusReport(question.by.length === 0 ? null : question.by);
  await entries().eachEntry(question, (entry) => report.add(entry));
  return csv(await joined(report.lines()), { 'x-tollgate-unpriced-requests': String(report.unpriced) });
}

/** Lines that a turn of the event loop makes: a few milliseconds of work. */
const LINES_AT_ONCE = 100;

/** A month may have a hundred thousand lines, and others wait meanwhile. */
async function joined(lines: Iterable<string>): Promise<string> {
  const pieces: string[] = [];
  let count = 0;
  for (const line of lines) {
    pieces.push(line);
    count += 1;
    if (count % LINES_AT_ONCE === 0) await setImmediate();
  }
  return pieces.join('');
}

/** A table as a file. */
export function csv(body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { kind: 'text', status: 200, type: 'text/csv; charset=utf-8', body, headers };
}
