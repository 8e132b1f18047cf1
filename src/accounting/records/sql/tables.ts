import { USAGE_CLASSES } from '../../../dialects/usage.js';
import type { Column, Upsert } from './database.js';

const integers = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'integer' }));
const texts = (...names: string[]): Column[] => names.map((name) => ({ name, type: 'text' }));

/** `usage_input`, `usage_output`…: tokens of one request or of many. */
export const USAGE_COLUMNS: readonly string[] = USAGE_CLASSES.map((name) => `usage_${name}`);

/** What is added up, in `rollups` under these names. */
export const SUM_COLUMNS: readonly string[] = [
  'requests',
  'errors',
  'estimated_requests',
  'priced_requests',
  'unpriced_requests',
  'cost_nano_usd',
  ...USAGE_COLUMNS,
];

/** What requests are grouped by, besides their labels. */
export const GROUP_COLUMNS = [
  'key_id',
  'end_user',
  'endpoint',
  'model',
  'target',
  'provider',
  'status',
  'code',
] as const;

const keep = (table: string, columns: readonly Column[], key: readonly string[]): Upsert => ({
  table,
  columns,
  key,
  update: null,
});

const replaced = (...names: string[]): string => names.map((name) => `${name} = excluded.${name}`).join(', ');

/** One row per finished request; `entry` is the ledger's entry as it was written. */
export const REQUESTS = keep(
  'requests',
  [
    ...texts('id', 'source', 'type'),
    ...integers('time', 'finished'),
    ...texts('key_id', 'end_user', 'endpoint', 'model', 'route', 'target', 'provider', 'answered_model'),
    ...integers('stream', 'status'),
    ...texts('code', 'usage_source'),
    ...integers('cost_nano_usd', ...USAGE_COLUMNS, 'first_token_ms', 'ms'),
    { name: 'labels', type: 'json' },
    ...texts('dimension'),
    { name: 'entry', type: 'json' },
  ],
  ['id'],
);

/** One row per combination of everything that usage is grouped by. `last_start`: newest hour that uses it, so old ones can go. */
export const DIMENSIONS: Upsert = {
  table: 'dimensions',
  columns: [
    ...texts('dimension', 'key_id', 'end_user', 'endpoint', 'model', 'target', 'provider'),
    ...integers('status'),
    ...texts('code'),
    { name: 'labels', type: 'json' },
    ...integers('last_start'),
  ],
  key: ['dimension'],
  update: `${replaced('last_start')} where excluded.last_start > dimensions.last_start`,
};

/** Sums by hour and by UTC day (`step`, milliseconds) from `start` on. */
export const ROLLUPS: Upsert = {
  table: 'rollups',
  columns: [...texts('dimension'), ...integers('step', 'start', ...SUM_COLUMNS)],
  key: ['step', 'start', 'dimension'],
  update: SUM_COLUMNS.map((name) => `${name} = rollups.${name} + excluded.${name}`).join(', '),
};

/** Up to where each file of a source is in the tables above. */
export const POSITIONS: Upsert = {
  table: 'positions',
  columns: [...texts('file', 'source'), ...integers('bytes'), ...texts('identity'), ...integers('damaged')],
  key: ['source', 'file'],
  update: replaced('bytes', 'identity', 'damaged'),
};

/** One row per ledger directory. Requests that finished before `requests_from` have been deleted and do not come back. */
export const SOURCES = keep('sources', [...texts('source'), ...integers('requests_from')], ['source']);

/** Largest values seen, by name. */
export const FACTS: Upsert = {
  table: 'facts',
  columns: [...texts('name'), ...integers('value')],
  key: ['name'],
  update: `${replaced('value')} where excluded.value > facts.value`,
};

/** Prompts and answers, kept apart from the requests. */
export const CONTENTS = keep(
  'contents',
  [
    ...texts('id', 'source'),
    ...integers('time'),
    ...texts('request', 'response'),
    ...integers('request_bytes', 'response_bytes'),
  ],
  ['id'],
);
