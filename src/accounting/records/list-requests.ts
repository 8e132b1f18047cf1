import { setImmediate as turn } from 'node:timers/promises';
import type { FinalEntry } from '../ledger/entry.js';
import { columnText } from './column-text.js';
import type { EntryPage, RecordPage, RecordQuery, RequestRecord } from './record.js';
import { providerOf } from './request-row.js';
import type { Row, Session, Value } from './sql/database.js';
import { labelOf } from './sql/label.js';
import { LONGEST_MS } from './write-batch.js';

/** Rows looked at in one statement where filters without an index decide: about 10 ms. */
const WINDOW = 5_000;
/** A page that has looked this long ends, with a cursor where to go on. */
const LONGEST_LOOK_MS = 1_000;
const MOST_ROWS = 1_000;

/** A place between two requests, in the order (finished, id). */
interface Place {
  readonly finished: number;
  readonly id: string;
}

/** SQL that must hold, joined by `and`, and its values. */
interface Conditions {
  readonly sql: string[];
  readonly values: Value[];
}

/** One page as the API shows it. Rejects as `listEntries` does. */
export async function listRequests(session: Session, query: RecordQuery): Promise<RecordPage> {
  const { data, next } = await listEntries(session, query);
  return { data: data.map(recordOf), next };
}

/** One page, last finished first. Rejects with RangeError for a cursor that no page gave. */
export async function listEntries(session: Session, query: RecordQuery): Promise<EntryPage> {
  const limit = Math.min(query.limit, MOST_ROWS);
  const [indexed, others] = await conditionsOf(session, query);
  const window = others.sql.length === 0 ? limit + 1 : WINDOW;
  const until = performance.now() + LONGEST_LOOK_MS;
  const data: FinalEntry[] = [];
  let place = query.cursor ? readCursor(query.cursor) : null;
  for (;;) {
    const rows = await look(session, { indexed, others, place, window });
    for (const row of rows) {
      const entry = row['entry'];
      if (typeof entry === 'string') {
        if (data.length === limit) return { data, next: place && cursorOf(place) };
        data.push(JSON.parse(entry));
      }
      place = { finished: Number(row['finished']), id: String(row['id']) };
    }
    if (rows.length < window) return { data, next: null };
    if (performance.now() > until && place) return { data, next: cursorOf(place) };
    await turn();
  }
}

/** Null when there is none (yet). */
export async function getRequest(session: Session, id: string): Promise<RequestRecord | null> {
  const [row] = await session.query('select entry from requests where id = ?', [columnText(id)]);
  return row ? recordOf(JSON.parse(String(row['entry']))) : null;
}

interface Look {
  readonly indexed: Conditions;
  readonly others: Conditions;
  readonly place: Place | null;
  readonly window: number;
}

/** The next rows in order; those that the other filters leave out come without their entry, which is then not even read. */
function look(session: Session, { indexed, others, place, window }: Look): Promise<readonly Row[]> {
  const where = [...indexed.sql];
  const values = [...others.values, ...indexed.values];
  if (place) {
    where.push('(finished, id) < (?, ?)');
    values.push(place.finished, place.id);
  }
  const entry = others.sql.length === 0 ? 'entry' : `case when ${others.sql.join(' and ')} then entry end as entry`;
  const filter = where.length === 0 ? '' : `where ${where.join(' and ')}`;
  const sql = `select id, finished, ${entry} from requests ${filter} order by finished desc, id desc limit ?`;
  return session.query(sql, [...values, window]);
}

/** Those that an index finds, then those that are looked at row by row. */
async function conditionsOf(session: Session, query: RecordQuery): Promise<readonly [Conditions, Conditions]> {
  const indexed: Conditions = { sql: [], values: [] };
  const others: Conditions = { sql: [], values: [] };
  const add = (to: Conditions, sql: string, ...values: Value[]): void => {
    to.sql.push(sql);
    to.values.push(...values);
  };
  if (isGiven(query.key)) add(indexed, 'key_id = ?', columnText(query.key));
  if (isGiven(query.user))
    add(indexed, query.user === '' ? 'end_user = ?' : `end_user = ? and end_user <> ''`, columnText(query.user));
  if (isGiven(query.code)) add(indexed, 'code = ?', columnText(query.code));
  if (isGiven(query.from)) {
    add(indexed, 'finished >= ?', query.from);
    add(others, 'time >= ?', query.from);
  }
  if (isGiven(query.to)) {
    add(indexed, 'finished < ?', query.to + (await longestMs(session)) + 1);
    add(others, 'time < ?', query.to);
  }
  if (isGiven(query.model)) add(others, 'model = ?', columnText(query.model));
  if (isGiven(query.target)) {
    add(others, 'provider = ? and target = ?', providerOf(query.target), columnText(query.target));
  }
  if (isGiven(query.status)) add(others, 'status = ?', query.status);
  for (const [name, value] of Object.entries(query.labels ?? {})) {
    add(others, `${labelOf('labels', session.kind)} = ?`, columnText(name), columnText(value));
  }
  return [indexed, others];
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** Milliseconds of the longest request: how long after its arrival one may finish. */
export async function longestMs(session: Session): Promise<number> {
  const [row] = await session.query('select value from facts where name = ?', [LONGEST_MS]);
  return Number(row?.['value'] ?? 0);
}

function cursorOf({ finished, id }: Place): string {
  return `${finished.toString(36)}.${Buffer.from(id).toString('base64url')}`;
}

function readCursor(cursor: string): Place {
  const [, finished = '', id = ''] = /^([0-9a-z]{1,11})\.([\w-]{1,2000})$/.exec(cursor) ?? [];
  const place = { finished: Number.parseInt(finished, 36), id: Buffer.from(id, 'base64url').toString() };
  if (!Number.isSafeInteger(place.finished) || cursorOf(place) !== cursor) {
    throw new RangeError('the cursor is none that a page gave');
  }
  return place;
}

function recordOf({ type: _type, ...record }: FinalEntry): RequestRecord {
  return record;
}
