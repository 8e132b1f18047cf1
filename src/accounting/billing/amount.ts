import { divideHalfUp } from '../exact.js';

/**
 * Money that is charged, exact: a BigInt count of 10^-96 of a currency's unit. That is fine enough for every product that occurs
 * (nano-dollars × a mark-up × a rate; tokens × a price for a million) with all digits that a configuration can have, so nothing is
 * rounded before the end.
 */
export type Amount = bigint;

const AMOUNT_DIGITS = 96;
/** Decimals that a price, mark-up or rate may have: a number in the configuration is 40 characters long at most. */
const DECIMAL_DIGITS = 42;

/** A decimal as written (`0.92`), as a count of 10^-42. Throws RangeError for anything else. */
export function readDecimal(text: string): bigint {
  const match = /^(\d{1,42})(?:\.(\d{1,42}))?$/.exec(text);
  if (!match) throw new RangeError(`not a decimal: ${text.slice(0, 50)}`);
  return BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(DECIMAL_DIGITS, '0'));
}

/** `tokens` at a price per million. */
export function tokenAmount(tokens: bigint, perMillion: bigint): Amount {
  return tokens * perMillion * 10n ** BigInt(AMOUNT_DIGITS - DECIMAL_DIGITS - 6);
}

/** `units` at a price for each. */
export function unitAmount(units: bigint, each: bigint): Amount {
  return units * each * 10n ** BigInt(AMOUNT_DIGITS - DECIMAL_DIGITS);
}

/** A cost in nano-dollars with a mark-up (0.2 = 20 %) in the currency that one dollar buys `perDollar` of. */
export function costAmount(nano: bigint, markup: bigint, perDollar: bigint): Amount {
  const factor = 10n ** BigInt(DECIMAL_DIGITS) + markup;
  return nano * factor * perDollar * 10n ** BigInt(AMOUNT_DIGITS - 2 * DECIMAL_DIGITS - 9);
}

/** Whole minor units (cents), rounded half up: the only place where an amount loses anything. */
export function toMinorUnits(amount: Amount, minorDigits: number): bigint {
  return divideHalfUp(amount, 10n ** BigInt(AMOUNT_DIGITS - minorDigits));
}

/** All digits of an amount: `0.0184`. */
export function exactText(amount: Amount): string {
  const digits = amount.toString().padStart(AMOUNT_DIGITS + 1, '0');
  const fraction = digits.slice(-AMOUNT_DIGITS).replace(/0+$/, '');
  return digits.slice(0, -AMOUNT_DIGITS) + (fraction === '' ? '' : `.${fraction}`);
}

/** Minor units as a decimal with as many places as the currency has: `12.50`, `1250` for a yen. */
export function minorText(minor: bigint, minorDigits: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(minorDigits + 1, '0');
  const sign = minor < 0n ? '-' : '';
  if (minorDigits === 0) return sign + digits;
  return `${sign}${digits.slice(0, -minorDigits)}.${digits.slice(-minorDigits)}`;
}
