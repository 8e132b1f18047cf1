import type { RequestRow } from './request-row.js';
import type { Database, Session, Value } from './sql/database.js';
import { DIMENSIONS, FACTS, POSITIONS, REQUESTS, ROLLUPS, SOURCES } from './sql/tables.js';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Name in `facts`: milliseconds of the longest request ever. */
export const LONGEST_MS = 'longest_ms';

/** Up to where a file has been taken. */
export interface FilePosition {
  /** Relative, such as `20261101T100000000Z-0/00000001.ledger`. */
  readonly file: string;
  readonly bytes: number;
  /** Changes when the file is replaced by another one. */
  readonly identity: string;
  /** Unreadable lines before `bytes`. */
  readonly damaged: number;
}

/** How far one file has been read on. */
export interface Move {
  /** What the database must say for the move to count; null = nothing about this file. */
  readonly from: FilePosition | null;
  readonly to: FilePosition;
}

export interface Batch {
  readonly rows: readonly RequestRow[];
  readonly moves: readonly Move[];
}

/**
 * Writes rows, their sums and the positions behind them in one transaction. A row whose id is there already is left as it is and not
 * counted again. Resolves to the number of new rows, or to null when the positions in the database are not those that the batch
 * began at (another process was here, or the database was emptied): then nothing was written.
 */
export function writeBatch(database: Database, source: string, batch: Batch): Promise<number | null> {
  return database.transaction(async (session) => {
    const requestsFrom = await lockSource(session, source);
    if (requestsFrom === null || !(await areCurrent(session, source, batch.moves))) return null;
    const candidates = onceEach(batch.rows).filter((row) => row.finished >= requestsFrom);
    const written = await session.write(
      REQUESTS,
      candidates.map((row) => row.values),
    );
    const fresh = candidates.filter((row) => written.has(row.id));
    if (fresh.length > 0) await addUp(session, fresh);
    const positions = batch.moves.map(({ to }) => [to.file, source, to.bytes, to.identity, to.damaged]);
    await session.write(POSITIONS, positions);
    return fresh.length;
  });
}

/** Makes the source known. Not within `writeBatch`: an emptied database must be noticed there. */
export async function addSource(database: Database, source: string): Promise<void> {
  await database.write(SOURCES, [[source, 0]]);
}

export async function readPositions(session: Session, source: string): Promise<FilePosition[]> {
  const rows = await session.query('select file, bytes, identity, damaged from positions where source = ?', [source]);
  return rows.map((row) => ({
    file: String(row['file']),
    bytes: Number(row['bytes']),
    identity: String(row['identity']),
    damaged: Number(row['damaged']),
  }));
}

/** From here to the end of the transaction no other process writes for this source, and retention does not move. */
async function lockSource(session: Session, source: string): Promise<number | null> {
  const lock = session.kind === 'postgres' ? ' for update' : '';
  const [row] = await session.query(`select requests_from from sources where source = ?${lock}`, [source]);
  return row ? Number(row['requests_from']) : null;
}

async function areCurrent(session: Session, source: string, moves: readonly Move[]): Promise<boolean> {
  for (const { from, to } of moves) {
    const sql = 'select bytes, identity from positions where source = ? and file = ?';
    const [row] = await session.query(sql, [source, to.file]);
    if (!row !== (from === null)) return false;
    if (row && from && (Number(row['bytes']) !== from.bytes || row['identity'] !== from.identity)) return false;
  }
  return true;
}

/** The first of each id. */
function onceEach(rows: readonly RequestRow[]): RequestRow[] {
  const seen = new Set<string>();
  return rows.filter((row) => !seen.has(row.id) && seen.add(row.id));
}

/** A number as long as it is exact. */
type Amount = number | bigint;

interface Sum {
  readonly start: number;
  readonly row: RequestRow;
  readonly sums: Amount[];
}

async function addUp(session: Session, rows: readonly RequestRow[]): Promise<void> {
  const hours = sumsBy(rows);
  const days = new Map<string, Sum>();
  for (const hour of hours) {
    const start = hour.start - (hour.start % DAY_MS);
    add(days, { start, row: hour.row, sums: hour.sums });
  }
  const last = new Map<string, Sum>();
  for (const hour of hours) {
    const known = last.get(hour.row.dimension);
    if (!known || known.start < hour.start) last.set(hour.row.dimension, hour);
  }
  // In one order for everybody, or two services that add to the same rows would wait for each other.
  await session.write(
    DIMENSIONS,
    [...last.values()].sort(byDimension).map(({ row, start }) => [row.dimension, ...row.group, start]),
  );
  await session.write(ROLLUPS, [
    ...sorted(hours).map((sum) => rollup(sum, HOUR_MS)),
    ...sorted(days.values()).map((sum) => rollup(sum, DAY_MS)),
  ]);
  const longest = rows.reduce((most, row) => Math.max(most, row.ms), 0);
  const [known] = await session.query('select value from facts where name = ?', [LONGEST_MS]);
  if (Number(known?.['value'] ?? 0) < longest) await session.write(FACTS, [[LONGEST_MS, longest]]);
}

function sumsBy(rows: readonly RequestRow[]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) add(sums, { start: row.time - (row.time % HOUR_MS), row, sums: row.sums });
  return [...sums.values()];
}

function add(into: Map<string, Sum>, one: Omit<Sum, 'sums'> & { readonly sums: readonly Amount[] }): void {
  const name = `${one.start} ${one.row.dimension}`;
  const known = into.get(name);
  if (!known) {
    into.set(name, { ...one, sums: [...one.sums] });
    return;
  }
  const { sums } = known;
  for (let at = 0; at < sums.length; at += 1) sums[at] = plus(sums[at] ?? 0, one.sums[at] ?? 0);
}

function plus(one: Amount, other: Amount): Amount {
  if (typeof one === 'number' && typeof other === 'number') {
    const sum = one + other;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(one) + BigInt(other);
}

function sorted(sums: Iterable<Sum>): Sum[] {
  return [...sums].sort((left, right) => left.start - right.start || byDimension(left, right));
}

function byDimension(left: Sum, right: Sum): number {
  return left.row.dimension < right.row.dimension ? -1 : 1;
}

function rollup({ row, start, sums }: Sum, step: number): Value[] {
  return [row.dimension, step, start, ...sums.map(BigInt)];
}
