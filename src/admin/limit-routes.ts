import type { LimitRow } from '../policy/limits/limiter.js';
import { json, type Reply } from './reply.js';
import type { Call, Route } from './route.js';

/** Counters of limits, the fullest first. */
export const limitRoutes: readonly Route[] = [
  {
    path: '/api/v1/limits',
    summary: 'State of every counter that a request used lately, the fullest first',
    access: 'token',
    query: {
      limit: 'Rows on a page, 1 to 1000; default 100',
      cursor: 'The `next` of the page before',
      name: 'Only counters of this limit',
    },
    handle: limits,
  },
];

async function limits({ query, dependencies }: Call): Promise<Reply> {
  const name = query.text('name');
  const size = query.integer('limit', { from: 1, to: 1000 }) ?? 100;
  const start = query.integer('cursor', { from: 0, to: 999_999_999 }) ?? 0;
  const rows = await dependencies.limits();
  const shown = rows
    .filter((row) => name === null || row.limit === name)
    .map(limitView)
    .sort((one, other) => other.ratio - one.ratio || (one.limit < other.limit ? -1 : 1));
  const end = start + size;
  return json(200, { data: shown.slice(start, end), next: end < shown.length ? String(end) : null });
}

/** Amounts are requests, tokens or integer nano-dollars; `ratio` is used and held ÷ max. */
function limitView(row: LimitRow) {
  const { used, held, resetsAt } = row.state;
  const max = Number(row.max);
  return {
    limit: row.limit,
    of: row.of,
    partition: row.partition,
    used: Number(used),
    held: Number(held),
    max,
    ratio: max === 0 ? 1 : Number(used + held) / max,
    resets_at: resetsAt === null ? null : new Date(resetsAt).toISOString(),
    action: row.action,
  };
}
