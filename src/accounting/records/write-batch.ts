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

/** Rows of some lines of the ledger, and how far these go. */
export interface Piece {
  readonly rows: readonly RequestRow[];
  readonly moves: readonly Move[];
}

export interface Written {
  /** New rows. */
  readonly rows: number;
  readonly moves: readonly Move[];
}

/**
 * Writes rows, their sums and the positions behind them in one transaction, piece by piece: what a row is made of has died before many
 * others are made. A row whose id is there already is left as it is and not counted again. Resolves to null when the positions in the
 * database are not those that the pieces began at (another process was here, or the database was emptied): then nothing was written.
 */
export async function writeBatch(database: Database, source: string, pieces: Iterable<Piece>): Promise<Written | null> {
  try {
    return await database.transaction((session) => writePieces(session, source, pieces));
  } catch (error) {
    if (error instanceof StalePositionError) return null;
    throw error;
  }
}

/** Takes the transaction back. */
class StalePositionError extends Error {}

async function writePieces(session: Session, source: string, pieces: Iterable<Piece>): Promise<Written> {
  const requestsFrom = await lockSource(session, source);
  if (requestsFrom === null) throw new StalePositionError();
  const moves = new Map<string, Move>();
  const totals = new Totals();
  for (const piece of pieces) {
    const begun = piece.moves.filter(({ to }) => !moves.has(to.file));
    if (!(await areCurrent(session, source, begun))) throw new StalePositionError();
    for (const { from, to } of piece.moves) moves.set(to.file, { from: moves.get(to.file)?.from ?? from, to });
    const candidates = onceEach(piece.rows).filter((row) => row.finished >= requestsFrom);
    const written = await session.write(
      REQUESTS,
      candidates.map((row) => row.values),
    );
    totals.add(candidates.filter((row) => written.has(row.id)));
  }
  if (totals.rows > 0) await totals.write(session);
  const positions = [...moves.values()].map(({ to }) => [to.file, source, to.bytes, to.identity, to.damaged]);
  await session.write(POSITIONS, positions);
  return { rows: totals.rows, moves: [...moves.values()] };
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

/** Sums of rows that are new. */
class Totals {
  rows = 0;
  readonly #hours = new Map<string, Sum>();
  #longest = 0;

  add(rows: readonly RequestRow[]): void {
    this.rows += rows.length;
    for (const row of rows) {
      add(this.#hours, { start: row.time - (row.time % HOUR_MS), row, sums: row.sums });
      this.#longest = Math.max(this.#longest, row.ms);
    }
  }

  async write(session: Session): Promise<void> {
    const hours = [...this.#hours.values()];
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
    const [known] = await session.query('select value from facts where name = ?', [LONGEST_MS]);
    if (Number(known?.['value'] ?? 0) < this.#longest) await session.write(FACTS, [[LONGEST_MS, this.#longest]]);
  }
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
