import { DAY_MS, HOUR_MS } from './write-batch.js';

/** Part of a span of time, epoch milliseconds, and what answers it: single requests, or sums by hour or day. */
export interface SpanPiece {
  readonly step: 'requests' | typeof HOUR_MS | typeof DAY_MS;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Days of one piece: a statement over them takes milliseconds, not seconds. */
const DAYS_AT_ONCE = 31;

/**
 * Cuts a span so that whole UTC days, then whole hours, then the rest cover it exactly. Hours that begin before `requestsFrom`
 * have lost single requests: there the whole hour is taken.
 */
export function spanPieces(from: number, to: number, requestsFrom: number): SpanPiece[] {
  const [start, end] = [widened(from, requestsFrom).start, widened(to, requestsFrom).end];
  if (end <= start) return [];
  const [firstHour, lastHour] = [up(start, HOUR_MS), down(end, HOUR_MS)];
  if (firstHour >= lastHour) {
    // At most one edge of an hour lies between.
    const middle = firstHour > start && firstHour < end ? firstHour : end;
    return [...piece('requests', start, middle), ...piece('requests', middle, end)];
  }
  const [firstDay, lastDay] = [up(firstHour, DAY_MS), down(lastHour, DAY_MS)];
  const hours =
    firstDay >= lastDay
      ? [...piece(HOUR_MS, firstHour, lastHour)]
      : [...piece(HOUR_MS, firstHour, firstDay), ...days(firstDay, lastDay), ...piece(HOUR_MS, lastDay, lastHour)];
  return [...piece('requests', start, firstHour), ...hours, ...piece('requests', lastHour, end)];
}

function* days(from: number, to: number): Iterable<SpanPiece> {
  for (let at = from; at < to; at += DAYS_AT_ONCE * DAY_MS) {
    yield { step: DAY_MS, from: at, to: Math.min(to, at + DAYS_AT_ONCE * DAY_MS) };
  }
}

function piece(step: SpanPiece['step'], from: number, to: number): SpanPiece[] {
  return from < to ? [{ step, from, to }] : [];
}

/** Where a bound of the span goes when it cannot stay within its hour. */
function widened(bound: number, requestsFrom: number): { readonly start: number; readonly end: number } {
  const lost = down(bound, HOUR_MS) < requestsFrom;
  return lost ? { start: down(bound, HOUR_MS), end: up(bound, HOUR_MS) } : { start: bound, end: bound };
}

function down(time: number, step: number): number {
  return Math.floor(time / step) * step;
}

function up(time: number, step: number): number {
  return Math.ceil(time / step) * step;
}
