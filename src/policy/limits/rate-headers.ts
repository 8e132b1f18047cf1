import type { CounterState, Dimension } from '../../store/counter-store.js';
import { remainingOf } from './measure.js';
import type { Slot } from './slots.js';

type Header = readonly [name: string, value: string];
type Unit = 'requests' | 'tokens';

const UNITS: Readonly<Record<Dimension, Unit | null>> = {
  requests: 'requests',
  input_tokens: 'tokens',
  output_tokens: 'tokens',
  tokens: 'tokens',
  cost: null,
  concurrent: null,
};
const NAMES = {
  requests: {
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  tokens: {
    limit: 'x-ratelimit-limit-tokens',
    remaining: 'x-ratelimit-remaining-tokens',
    reset: 'x-ratelimit-reset-tokens',
  },
} as const;

/**
 * OpenAI's six `x-ratelimit-*` for the tightest limit that counts requests and the tightest that counts tokens: least left,
 * as a share of the whole. Only limits that refuse are shown; one that never resets has no `reset`.
 */
export function rateHeaders(slots: readonly Slot[], states: readonly CounterState[]): readonly Header[] {
  const headers: Header[] = [];
  addTightest(headers, 'requests', { slots, states });
  addTightest(headers, 'tokens', { slots, states });
  return headers;
}

interface Counted {
  readonly slots: readonly Slot[];
  readonly states: readonly CounterState[];
}

function addTightest(headers: Header[], unit: Unit, { slots, states }: Counted): void {
  let tightest = Number.POSITIVE_INFINITY;
  let least = 0n;
  let found = -1;
  for (let index = 0; index < slots.length; index += 1) {
    const [slot, state] = [slots[index], states[index]];
    if (slot === undefined || state === undefined) continue;
    const { counter, rule } = slot;
    if (UNITS[counter.of] !== unit || rule.action.kind !== 'reject') continue;
    const left = remainingOf(counter, state);
    const share = counter.max === 0n ? 0 : Number(left) / Number(counter.max);
    if (share >= tightest) continue;
    tightest = share;
    least = left;
    found = index;
  }
  const [slot, state] = [slots[found], states[found]];
  if (slot === undefined || state === undefined) return;
  const names = NAMES[unit];
  headers.push([names.limit, slot.maxText], [names.remaining, String(least)]);
  if (state.resetsInMs !== null) headers.push([names.reset, resetText(state.resetsInMs)]);
}

/** As OpenAI writes it, which is Go's way: `12ms`, `1s`, `8.64s`, `6m0s`, `24h0m0s`. */
export function resetText(milliseconds: number): string {
  const whole = Math.max(0, Math.ceil(milliseconds));
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
