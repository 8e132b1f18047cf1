import type { CounterWindow, Dimension } from '../../store/counter-store.js';
import { readPlace } from '../../store/place.js';

/** What matters of a place here. */
export interface PlaceLife {
  /** null for a place that no store would read: it counts nowhere. */
  readonly of: Dimension | null;
  /** Epoch milliseconds from which the place surely counts for nothing any more; Infinity for ever. */
  readonly endsAt: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The longest that each can be, with an hour for a change of the clocks. */
const CALENDAR = { minute: 60_000, hour: 2 * HOUR, day: DAY + HOUR, week: 7 * DAY + HOUR, month: 31 * DAY + HOUR };

interface Bound {
  readonly of: Dimension | null;
  /** Milliseconds. */
  readonly length: number;
}

const UNREADABLE: Bound = { of: null, length: 0 };
const NOWHERE: PlaceLife = { of: null, endsAt: Number.POSITIVE_INFINITY };

/** What all places of one bound of one limit share, by the part of their text that they share. There are as many as limits. */
const bounds = new Map<string, Bound>();
const MOST_BOUNDS = 10_000;

/** Never throws. Called for each place of each entry of a ledger, so all but its start is read once. */
export function placeLife(place: string): PlaceLife {
  const { of, length } = boundOf(place);
  const at = place.lastIndexOf('@');
  const endsAt = at < 0 ? Number.NaN : Number(place.slice(at + 1)) + length;
  return of === null || Number.isNaN(endsAt) ? NOWHERE : { of, endsAt };
}

function boundOf(place: string): Bound {
  let end = -1;
  for (let part = 0; part < 3; part += 1) end = place.indexOf('|', end + 1);
  const shared = place.slice(0, Math.max(0, end));
  const known = bounds.get(shared);
  if (known) return known;
  const read = readPlace(place);
  if (!read) return UNREADABLE;
  const bound = { of: read.of, length: longest(read.window) };
  if (bounds.size >= MOST_BOUNDS) bounds.clear();
  bounds.set(shared, bound);
  return bound;
}

/** A slot of a sliding window counts up to twice as long as the window is. */
function longest(window: CounterWindow): number {
  if (window.kind === 'total') return Number.POSITIVE_INFINITY;
  return window.kind === 'duration' ? window.ms * (window.sliding ? 2 : 1) : CALENDAR[window.unit];
}
