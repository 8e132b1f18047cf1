import type { CounterWindow, Dimension } from './counter-store.js';
import { windowClock } from './windows/window-clock.js';

/** A counter in one of its windows or, sliding, slots, as the ledger names it. */
export interface Place {
  readonly key: string;
  readonly of: Dimension;
  readonly window: CounterWindow;
  /** Epoch milliseconds. */
  readonly start: number;
}

const DIMENSIONS: ReadonlySet<string> = new Set<Dimension>([
  'requests',
  'input_tokens',
  'output_tokens',
  'tokens',
  'cost',
  'concurrent',
]);
const DURATION = /^(\d{1,15})ms( sliding)?$/;
const CALENDAR = /^(minute|hour|day|week|month) (.+)$/;

export function placeText(key: string, start: number): string {
  return `${key}@${start}`;
}

/** Reads `<limit>|<dimension>|<window>|<partition>@<start>`; null if it is not one. */
export function readPlace(text: string): Place | null {
  const end = text.lastIndexOf('@');
  const [, of, window] = text.split('|', 4);
  const start = Number(text.slice(end + 1));
  if (end < 0 || !isDimension(of) || window === undefined || !Number.isSafeInteger(start)) return null;
  const read = readWindow(window);
  return read === null ? null : { key: text.slice(0, end), of, window: read, start };
}

function isDimension(text: string | undefined): text is Dimension {
  return text !== undefined && DIMENSIONS.has(text);
}

function readWindow(text: string): CounterWindow | null {
  if (text === 'total') return { kind: 'total' };
  const duration = DURATION.exec(text);
  if (duration) return { kind: 'duration', ms: Number(duration[1]), sliding: duration[2] !== undefined };
  const [, unit, timeZone = ''] = CALENDAR.exec(text) ?? [];
  if (unit === undefined) return null;
  const window: CounterWindow = { kind: 'calendar', unit: unit as 'day', timeZone };
  return isKnown(window) ? window : null;
}

function isKnown(window: CounterWindow): boolean {
  try {
    windowClock(window);
    return true;
  } catch {
    return false;
  }
}
