/**
 * Exact decimal arithmetic for money. A price is a decimal number of dollars per million tokens, kept as a BigInt count of
 * 10^-12 dollars: no catalogue or configuration has ever needed more digits, and nothing is lost on the way to nano-dollars.
 */
export const PRICE_DIGITS = 12;

/**
 * Reads the decimal that a JavaScript number prints as, which is the one that the author wrote (0.1 is 0.1, not 0.1000…55).
 * Digits beyond the twelfth are rounded half up. Throws RangeError unless the number is finite and not negative.
 */
export function decimalToScaled(value: number): bigint {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`not a price: ${value}`);
  const [mantissa = '0', exponent = '0'] = value.toString().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  const shift = PRICE_DIGITS + Number(exponent) - fraction.length;
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfUp(digits, 10n ** BigInt(-shift));
}

/** `numerator / denominator` rounded half up; both must not be negative. */
export function divideHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

const PER_NANO_OF_MILLION = 10n ** BigInt(PRICE_DIGITS - 3);
const NANO_OF_MILLION = Number(PER_NANO_OF_MILLION);
const PER_NANO = 10n ** BigInt(PRICE_DIGITS - 9);

/** Nano-dollars of `tokens` at a price per million: tokens × price × 10^9 / (10^6 × 10^12), rounded half up. */
export function tokensToNano(tokens: number, pricePerMillion: bigint): number {
  return safeTokensToNano(tokens, Number(pricePerMillion)) ?? largeTokensToNano(tokens, pricePerMillion);
}

/** The same where every number on the way is a safe integer, as it nearly always is; else null. */
function safeTokensToNano(tokens: number, price: number): number | null {
  const fraction = price % NANO_OF_MILLION;
  const whole = tokens * ((price - fraction) / NANO_OF_MILLION);
  const parts = tokens * fraction;
  const rest = parts % NANO_OF_MILLION;
  const nano = whole + (parts - rest) / NANO_OF_MILLION + (2 * rest >= NANO_OF_MILLION ? 1 : 0);
  const isExact = Number.isSafeInteger(price) && Number.isSafeInteger(parts) && Number.isSafeInteger(nano);
  return isExact ? nano : null;
}

function largeTokensToNano(tokens: number, pricePerMillion: bigint): number {
  return Number(divideHalfUp(BigInt(tokens) * pricePerMillion, PER_NANO_OF_MILLION));
}

/** Nano-dollars of `units` at a price for every `per` of them. */
export function unitsToNano(units: number, price: bigint, per: bigint): number {
  return Number(divideHalfUp(BigInt(units) * price, per * PER_NANO));
}

/** Nano-dollars of a decimal number of dollars, rounded half up. Throws RangeError as `decimalToScaled`. */
export function dollarsToNano(dollars: number): number {
  return unitsToNano(1, decimalToScaled(dollars), 1n);
}

/** A part of a price as an exact fraction. */
export interface Share {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** What is left of a price when `share` is off: 0.15 → 85/100. `share` must lie between 0 and 1. */
export function remainderOf(share: number): Share {
  const whole = 10n ** BigInt(PRICE_DIGITS);
  return { numerator: whole - decimalToScaled(share), denominator: whole };
}

/** The part of a price, rounded half up to 10^-12 dollars. */
export function partOf(price: bigint, share: Share): bigint {
  return divideHalfUp(price * share.numerator, share.denominator);
}
