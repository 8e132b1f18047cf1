import type { Retention } from '../../config/money-rules.js';
import type { Database } from './sql/database.js';
import { DAY_MS, HOUR_MS } from './write-batch.js';

/** Rows deleted in one transaction: milliseconds, so that new entries need not wait. */
const ROWS_AT_ONCE = 500;
const MINUTE_MS = 60_000;

/**
 * Deletes some of what is older than it may be. Resolves to true when there may be more. Before a request is deleted, its source
 * remembers that older ones do not come back: a ledger that is read again must not be counted again.
 */
export async function expireRows(database: Database, retention: Retention, now: number): Promise<boolean> {
  let more = false;
  if (retention.recordsMs !== null) more = (await expireRequests(database, now - retention.recordsMs)) || more;
  if (retention.contentMs !== null) more = (await expireContents(database, now - retention.contentMs)) || more;
  if (retention.rollupsMs !== null) more = (await expireRollups(database, now - retention.rollupsMs)) || more;
  return more;
}

async function expireRequests(database: Database, bound: number): Promise<boolean> {
  const from = Math.floor(bound / MINUTE_MS) * MINUTE_MS;
  const old = await database.query('select id from requests where finished < ? limit 1', [from]);
  if (old.length === 0) return false;
  await database.query('update sources set requests_from = ? where requests_from < ?', [from, from]);
  return isFull(await deleteSome(database, { table: 'requests', key: 'id', where: 'finished < ?', values: [from] }));
}

async function expireContents(database: Database, bound: number): Promise<boolean> {
  return isFull(await deleteSome(database, { table: 'contents', key: 'id', where: 'time < ?', values: [bound] }));
}

async function expireRollups(database: Database, bound: number): Promise<boolean> {
  let more = false;
  const key = '(step, start, dimension)';
  for (const step of [HOUR_MS, DAY_MS]) {
    const where = 'step = ? and start < ?';
    more = isFull(await deleteSome(database, { table: 'rollups', key, where, values: [step, bound - step] })) || more;
  }
  if (more) return true;
  const where = 'last_start < ?';
  const values = [bound - DAY_MS];
  return isFull(await deleteSome(database, { table: 'dimensions', key: 'dimension', where, values }));
}

interface Deletion {
  readonly table: string;
  readonly key: string;
  readonly where: string;
  readonly values: readonly number[];
}

/** The condition stands twice: a row that somebody changed in between is looked at again. */
async function deleteSome(database: Database, { table, key, where, values }: Deletion): Promise<number> {
  const columns = key.replace(/[()]/g, '');
  const skip = database.kind === 'postgres' ? ' for update skip locked' : '';
  const some = `select ${columns} from ${table} where ${where} limit ${ROWS_AT_ONCE}${skip}`;
  const sql = `delete from ${table} where ${key} in (${some}) and ${where} returning 1 as gone`;
  return (await database.query(sql, [...values, ...values])).length;
}

function isFull(deleted: number): boolean {
  return deleted === ROWS_AT_ONCE;
}
