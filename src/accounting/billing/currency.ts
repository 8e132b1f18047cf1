/**
 * Currencies of ISO 4217 whose minor unit is not a hundredth, by its digits. Not taken from `Intl`: its data follow what is used in
 * cash (no digits for HUF, IDR, MGA and others that have two), and differ from one Node version to the next.
 */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV'].map(without),
  ...['XAF', 'XOF', 'XPF'].map(without),
  ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((currency) => [currency, 3] as const),
  ...['CLF', 'UYW'].map((currency) => [currency, 4] as const),
]);

/** Digits after the point of the currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  return DIGITS.get(currency) ?? 2;
}

function without(currency: string): readonly [string, number] {
  return [currency, 0];
}
