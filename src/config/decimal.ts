/**
 * Decimal numbers as text, so that money is never rounded by binary fractions. Canonical: no sign, no exponent, no
 * superfluous zeros: `0.92`, `500`.
 */

const LONGEST = 40;
const NANO_DIGITS = 9;

/** Canonical text of `1.50`, `007` or `.5`; null when the text is no such number. */
export function parseDecimal(text: string): string | null {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null || text.length > LONGEST) return null;
  const whole = (match[1] ?? '').replace(/^0+(?=\d)/, '');
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** Exact text of a number of YAML; null where the number may not be what was written, for lack of digits. */
export function decimalOf(value: number): string | null {
  const match = /^(\d+(?:\.\d+)?)(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null || (match[1] ?? '').replace('.', '').length > 15) return null;
  return shiftDecimal(match[1] ?? '', Number(match[2] ?? 0));
}

/** × 10^places, exactly: `20` by -2 is `0.2`. */
export function shiftDecimal(text: string, places: number): string | null {
  if (Math.abs(places) > LONGEST) return null;
  const [whole = '', fraction = ''] = text.split('.');
  const padded = `${'0'.repeat(Math.max(0, -places))}${whole}${fraction}${'0'.repeat(Math.max(0, places - fraction.length))}`;
  const point = Math.max(0, -places) + whole.length + places;
  return parseDecimal(`${padded.slice(0, point) || '0'}.${padded.slice(point) || '0'}`);
}

/** Nano-dollars of an amount of dollars; null when it has a finer part. */
export function nanoDollars(dollars: string): bigint | null {
  const nano = shiftDecimal(dollars, NANO_DIGITS);
  return nano === null || nano.includes('.') ? null : BigInt(nano);
}

/** 500_000_000_000n → `500`. */
export function formatDollars(nano: bigint): string {
  return shiftDecimal(String(nano), -NANO_DIGITS) ?? String(nano);
}
