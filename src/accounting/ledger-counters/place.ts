import type { Dimension } from '../../store/counter-store.js';

/** What a place says about itself: `<limit>|<dimension>|<window>|<partition>@<start, epoch ms>`. */
export interface Place {
  /** null for a dimension that this version does not know. */
  readonly of: Dimension | null;
  /** Epoch milliseconds from which the place surely counts for nothing any more; Infinity when that is not known. */
  readonly endsAt: number;
}

const DIMENSIONS: ReadonlySet<string> = new Set<Dimension>([
  'requests',
  'input_tokens',
  'output_tokens',
  'tokens',
  'cost',
  'concurrent',
]);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The longest that each can be, with an hour for a change of the clocks. */
const CALENDAR: Readonly<Record<string, number>> = {
  minute: MINUTE,
  hour: 2 * HOUR,
  day: DAY + HOUR,
  week: 7 * DAY + HOUR,
  month: 31 * DAY + HOUR,
};
/** Never throws; what cannot be read is kept for ever rather than forgotten. */
export function parsePlace(place: string): Place {
  const at = place.lastIndexOf('@');
  const [, of = '', window = ''] = place.slice(0, Math.max(0, at)).split('|', 3);
  const start = at < 0 || at === place.length - 1 ? Number.NaN : Number(place.slice(at + 1));
  const length = longest(window);
  return {
    of: isDimension(of) ? of : null,
    endsAt: Number.isFinite(start) ? start + length : Number.POSITIVE_INFINITY,
  };
}

/** `60000ms`, `60000ms sliding` (a slot of it counts up to twice as long), `month Europe/Berlin`, `total`. */
function longest(window: string): number {
  const [, ms, sliding] = /^(\d+)ms( sliding)?$/.exec(window) ?? [];
  if (ms !== undefined) return Number(ms) * (sliding === undefined ? 1 : 2);
  const [unit = ''] = window.split(' ', 1);
  return (Object.hasOwn(CALENDAR, unit) ? CALENDAR[unit] : undefined) ?? Number.POSITIVE_INFINITY;
}

function isDimension(word: string): word is Dimension {
  return DIMENSIONS.has(word);
}
