import type { CounterWindow } from '../counter-store.js';
import { DAY_MS, firstInstant, type TimeZone, timeZone } from './time-zone.js';

/** From `start` to just before `end`, epoch milliseconds; `total` is one window from 0 to Infinity. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** Which window of its kind an instant lies in. Cheap as long as instants stay in one window. */
export interface WindowClock {
  at(now: number): Bounds;
}

/** A sliding window of `ms` is the sum of so many slots and the one that has begun. */
export const SLOTS = 60;

const HOUR_MS = 3_600_000;
const FOREVER: Bounds = { start: 0, end: Number.POSITIVE_INFINITY };
const clocks = new Map<string, WindowClock>();

/** Milliseconds of one slot of a sliding window. */
export function slotLength(ms: number): number {
  return Math.max(1, Math.ceil(ms / SLOTS));
}

/** The clock of a window's kind; of a slot, for a sliding one. Throws a RangeError for an unknown time zone. */
export function windowClock(window: CounterWindow): WindowClock {
  const name = windowText(window);
  let clock = clocks.get(name);
  if (clock === undefined) {
    clock = createClock(window);
    clocks.set(name, clock);
  }
  return clock;
}

/** The third part of a counter's key: `total`, `60000ms`, `60000ms sliding`, `month Europe/Berlin`. */
export function windowText(window: CounterWindow): string {
  if (window.kind === 'total') return 'total';
  if (window.kind === 'duration') return `${window.ms}ms${window.sliding ? ' sliding' : ''}`;
  return `${window.unit} ${window.timeZone}`;
}

function createClock(window: CounterWindow): WindowClock {
  if (window.kind === 'total') return { at: () => FOREVER };
  if (window.kind === 'calendar') return calendarClock(window);
  const length = window.sliding ? slotLength(window.ms) : window.ms;
  return remembering((now) => {
    const start = Math.floor(now / length) * length;
    return { start, end: start + length };
  });
}

function calendarClock({ unit, timeZone: name }: CounterWindow & { readonly kind: 'calendar' }): WindowClock {
  const zone = timeZone(name);
  if (unit === 'minute') return createClock({ kind: 'duration', ms: 60_000, sliding: false });
  if (unit === 'hour') return remembering((now) => hourAt(zone, now));
  return remembering((now) => {
    const [first, next] = daysAround(unit, Math.floor((now + zone.offsetAt(now)) / DAY_MS));
    return { start: zone.dayStart(first), end: zone.dayStart(next) };
  });
}

function remembering(compute: (now: number) => Bounds): WindowClock {
  let last: Bounds = { start: 0, end: 0 };
  return {
    at: (now) => {
      if (now < last.start || now >= last.end) last = compute(now);
      return last;
    },
  };
}

/** A change of the offset ends an hour: the hour that comes twice is two windows. */
function hourAt(zone: TimeZone, now: number): Bounds {
  const offset = zone.offsetAt(now);
  const start = Math.floor((now + offset) / HOUR_MS) * HOUR_MS - offset;
  const end = start + HOUR_MS;
  const isSame = (instant: number): boolean => zone.offsetAt(instant) === offset;
  return {
    start: isSame(start) ? start : firstInstant(start, now, isSame),
    end: isSame(end - 1) ? end : firstInstant(now, end, (instant) => !isSame(instant)),
  };
}

/** Of the window with this local date: its first date, and the first one after it. As days since 1970-01-01. */
function daysAround(unit: 'day' | 'week' | 'month', day: number): readonly [number, number] {
  if (unit === 'day') return [day, day + 1];
  if (unit === 'week') {
    // Day 0 was a Thursday; weeks begin on Monday.
    const first = day - ((((day + 3) % 7) + 7) % 7);
    return [first, first + 7];
  }
  const date = new Date(day * DAY_MS);
  const monthStart = (month: number): number => Date.UTC(date.getUTCFullYear(), month, 1) / DAY_MS;
  return [monthStart(date.getUTCMonth()), monthStart(date.getUTCMonth() + 1)];
}
