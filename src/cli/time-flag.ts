import { UserError } from './user-error.js';

const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** For `option(…, timeFlag)`: epoch milliseconds. */
export function timeFlag(text: string): number {
  return parseTime(text, Date.now());
}

/** Epoch milliseconds of an ISO date or time (UTC unless it says otherwise), or of `-24h`, `7d` before `now`. Throws UserError. */
export function parseTime(text: string, now: number): number {
  const ago = /^-?(\d{1,6})([mhdw])$/.exec(text);
  if (ago) return now - Number(ago[1]) * (AGO_MS[ago[2] ?? ''] ?? 0);
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const time = isDay(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new UserError(`${text}: must be a date (2026-11-01), a time (2026-11-01T08:00Z) or -24h, -7d`);
  }
  return time;
}

/** A month of UTC. */
export interface MonthSpan {
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** For `option(…, monthFlag)`: `2026-10`. Throws UserError. */
export function monthFlag(text: string): MonthSpan {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text);
  if (!match) throw new UserError(`${text}: must be a month such as 2026-10`);
  const [year, month] = [Number(match[1]), Number(match[2])];
  return { from: Date.UTC(year, month - 1), to: Date.UTC(year, month) };
}

/** Also that the day is one: `Date.parse` takes 31 February for 3 March. */
function isDay(text: string): boolean {
  const day = /^\d{4}-\d\d-\d\d(?=T|$)/.exec(text)?.[0];
  if (day === undefined) return false;
  const time = Date.parse(day);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
