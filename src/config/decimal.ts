/**
 * Decimal numbers as text, so that money is never rounded by binary fractions. Canonical: no sign, no exponent, no
 * superfluous zeros: `0.92`, `500`.
 */

const LONGEST = 40;
const NANO_DIGITS = 9;

/** Canonical text of `1.50` or `007`; null when the text is no such number. */
export function parseDecimal(text: string): string | null {
  return text.length <= LONGEST && /^\d+(\.\d+)?$/.test(text) ? canonical(text) : null;
}

function canonical(text: string): string {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = whole.replace(/^0+(?=\d)/, '');
  const rest = fraction.replace(/0+$/, '');
  return rest === '' ? digits : `${digits}.${rest}`;
}

/** Exact text of a number of YAML; null where the number may not be what was written, for lack of digits. */
export function decimalOf(value: number): string | null {
  const match = /^(\d+(?:\.\d+)?)(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null || (match[1] ?? '').replace('.', '').length > 15) return null;
  // No configuration needs more: `1e300` is a mistake.
  const exponent = Number(match[2] ?? 0);
  return Math.abs(exponent) > LONGEST ? null : shiftDecimal(match[1] ?? '', exponent);
}

/** × 10^places, exactly: `20` by -2 is `0.2`. */
export function shiftDecimal(text: string, places: number): string {
  const [whole = '', fraction = ''] = text.split('.');
  const before = '0'.repeat(Math.max(0, -places));
  const after = '0'.repeat(Math.max(0, places - fraction.length));
  const digits = `${before}${whole}${fraction}${after}`;
  const point = before.length + whole.length + places;
  return canonical(`${digits.slice(0, point) || '0'}.${digits.slice(point)}`);
}

/** Nano-dollars of an amount of dollars; null when it has a finer part. */
export function nanoDollars(dollars: string): bigint | null {
  const nano = shiftDecimal(dollars, NANO_DIGITS);
  return nano.includes('.') ? null : BigInt(nano);
}

/** 500_000_000_000n → `500`. */
export function formatDollars(nano: bigint): string {
  return shiftDecimal(String(nano), -NANO_DIGITS);
}
