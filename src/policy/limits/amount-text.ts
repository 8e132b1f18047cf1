import type { Bound } from '../../config/limit-rules.js';
import { formatDuration } from '../../config/quantity.js';
import type { Dimension } from '../../store/counter-store.js';

const UNITS: Readonly<Record<Dimension, string>> = {
  requests: 'requests',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  tokens: 'tokens',
  cost: '',
  concurrent: 'requests at a time',
};
const NANO_DIGITS = 9;

/** `60`, or `$499.20`: nano-dollars as exact decimal dollars, at least cents. */
export function numberText(of: Dimension, amount: bigint): string {
  if (of !== 'cost') return String(amount);
  const digits = String(amount).padStart(NANO_DIGITS + 1, '0');
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, '').padEnd(2, '0');
  return `$${digits.slice(0, -NANO_DIGITS)}.${fraction}`;
}

/** `60 requests`, `1 request`, `$0.05`. */
export function amountText(of: Dimension, amount: bigint): string {
  if (of === 'cost') return numberText(of, amount);
  const unit = amount === 1n ? UNITS[of].replace(/(token|request)s/, '$1') : UNITS[of];
  return `${amount} ${unit}`;
}

/** ` per 1m`, ` per month`, ` in any 1h`, ` in all`. */
export function windowText({ window, sliding }: Pick<Bound, 'window' | 'sliding'>): string {
  if (window.kind === 'total') return ' in all';
  if (window.kind === 'calendar') return ` per ${window.unit}`;
  return `${sliding ? ' in any' : ' per'} ${formatDuration(window.ms)}`;
}
