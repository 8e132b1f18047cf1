import type { Amounts, CounterState } from '../../store/counter-store.js';
import { amountText, numberText, windowText } from './amount-text.js';
import type { LimitRefusal } from './limiter.js';
import { rateHeaders } from './rate-headers.js';
import type { Slot } from './slots.js';

/** What a refusing store told. */
export interface Refused {
  readonly slots: readonly Slot[];
  readonly states: readonly CounterState[];
  /** Indexes into both. */
  readonly exceeded: readonly number[];
  readonly amounts: Amounts;
}

interface Exceeded {
  readonly slot: Slot;
  readonly state: CounterState;
  /** What the request asked for. */
  readonly asked: bigint;
}

const UNAVAILABLE: LimitRefusal = {
  code: 'limits_unavailable',
  message: 'The limits of this request cannot be checked at the moment. Nothing was sent; try again shortly.',
  headers: { 'retry-after': '1' },
  limit: null,
};

/** The counters cannot be reached, and a limit that covers the request may not be guessed. */
export function unavailable(): LimitRefusal {
  return UNAVAILABLE;
}

/** The refusal for the limits that refuse, of several the one that resets last; null when only others are exceeded. */
export function refusalOf(refused: Refused): LimitRefusal | null {
  let worst: Exceeded | null = null;
  for (const index of refused.exceeded) {
    const slot = refused.slots[index];
    const state = refused.states[index];
    if (slot?.rule.action.kind !== 'reject' || state === undefined) continue;
    const exceeded = { slot, state, asked: askedOf(slot, refused.amounts) };
    if (worst === null || waitOf(exceeded) > waitOf(worst)) worst = exceeded;
  }
  return worst === null ? null : describe(worst, refused);
}

function askedOf({ counter }: Slot, amounts: Amounts): bigint {
  return counter.of === 'concurrent' ? 1n : BigInt(amounts[counter.of]);
}

/** Milliseconds until another try may succeed. A request that no window can hold, and a limit without end: never. */
function waitOf(exceeded: Exceeded): number {
  if (exceeded.slot.counter.of === 'concurrent') return 0;
  if (tooLarge(exceeded)) return Number.POSITIVE_INFINITY;
  return exceeded.state.resetsInMs ?? Number.POSITIVE_INFINITY;
}

/** Larger than the whole limit, whatever else is going on. */
function tooLarge({ slot, asked }: Exceeded): boolean {
  return asked > slot.counter.max;
}

function describe(exceeded: Exceeded, { slots, states }: Refused): LimitRefusal {
  const { counter, rule } = exceeded.slot;
  const rates = Object.fromEntries(rateHeaders(slots, states));
  if (counter.of === 'concurrent') {
    const headers = { ...rates, 'retry-after': '1' };
    return { code: 'concurrency_limit_exceeded', message: runningText(exceeded), headers, limit: rule.name };
  }
  const code = counter.of === 'cost' || counter.window.kind === 'total' ? 'insufficient_quota' : 'rate_limit_exceeded';
  const hopeless = code === 'insufficient_quota' || tooLarge(exceeded);
  const retry: Record<string, string> = hopeless
    ? { 'x-should-retry': 'false' }
    : { 'retry-after': String(Math.max(1, Math.ceil((exceeded.state.resetsInMs ?? 0) / 1000))) };
  const message = tooLarge(exceeded) ? tooLargeText(exceeded) : usedText(exceeded);
  return { code, message, headers: { ...rates, ...retry }, limit: rule.name };
}

/** `Limit "per-user" allows 60 requests per 1m`. */
function allowance({ slot }: Exceeded): string {
  const { rule, counter } = slot;
  const whole = amountText(counter.of, counter.max);
  if (counter.of === 'concurrent') return `Limit "${rule.name}" allows ${whole}`;
  const bound = counter.of === 'cost' ? rule.cost : counter.of === 'requests' ? rule.requests : rule.tokens;
  return `Limit "${rule.name}" allows ${whole}${bound === null ? '' : windowText(bound)}`;
}

function runningText(exceeded: Exceeded): string {
  const running = exceeded.state.used + exceeded.state.held;
  return `${allowance(exceeded)}: ${running === 1n ? '1 is' : `${running} are`} running.`;
}

function usedText(exceeded: Exceeded): string {
  const { slot, state, asked } = exceeded;
  const of = slot.counter.of;
  const used = numberText(of, state.used);
  const held = state.held === 0n ? '' : `, ${numberText(of, state.held)} held by running requests`;
  const needs = of === 'requests' ? '' : `, and this request may need ${numberText(of, asked)}`;
  return `${allowance(exceeded)}: ${used} used${held}${needs}. ${resetText(state)}`;
}

function tooLargeText(exceeded: Exceeded): string {
  const { slot, asked } = exceeded;
  // Only a limit of 0 is too small for one request.
  if (slot.counter.of === 'requests') return `${allowance(exceeded)}.`;
  const needs = amountText(slot.counter.of, asked);
  return `${allowance(exceeded)}: this request alone may need ${needs}. Send less input or ask for fewer output tokens.`;
}

function resetText({ resetsAt }: CounterState): string {
  return resetsAt === null ? 'It does not reset.' : `It resets at ${new Date(resetsAt).toISOString()}.`;
}
