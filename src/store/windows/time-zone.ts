/** What a calendar in an IANA time zone says, from Intl's data. Slow (microseconds per call): callers keep the results. */
export interface TimeZone {
  /** Milliseconds that local time is ahead of UTC at this instant. */
  offsetAt(instant: number): number;
  /**
   * The first instant of a local date, given as its number of days since 1970-01-01. Where the clocks jump over midnight
   * it is the instant of the jump.
   */
  dayStart(day: number): number;
}

export const DAY_MS = 86_400_000;
/** Offsets lie between −12 h and +14 h. */
const MOST_OFFSET = 16 * 3_600_000;

/** Throws a RangeError for an unknown name. */
export function timeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offsetAt = (instant: number): number => {
    const whole = Math.floor(instant / 1000) * 1000;
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(whole)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  };
  const localDay = (instant: number): number => Math.floor((instant + offsetAt(instant)) / DAY_MS);
  const dayStart = (day: number): number =>
    firstInstant(day * DAY_MS - MOST_OFFSET, day * DAY_MS + MOST_OFFSET, (instant) => localDay(instant) >= day);
  return { offsetAt, dayStart };
}

/** The first instant in (before, by] for which `holds` is true, given that it stays true from there on. */
export function firstInstant(before: number, by: number, holds: (instant: number) => boolean): number {
  let [low, high] = [before, by];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
