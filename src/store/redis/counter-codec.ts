import type { Amounts, Counter, CounterState, CounterWindow, Dimension, Seed } from '../counter-store.js';
import { placeText, readPlace } from '../place.js';
import { slotLength, windowClock } from '../windows/window-clock.js';
import type { ScriptArgument } from './redis-link.js';

/** One letter for each, in the records of holds. */
const LETTERS: Readonly<Record<Dimension, string>> = {
  requests: 'r',
  input_tokens: 'i',
  output_tokens: 'o',
  tokens: 't',
  cost: 'c',
  concurrent: 'x',
};

/** Kind, and milliseconds or start and end: calendars are not for Lua. `now` is the store's time as far as known. */
export function windowArguments(window: CounterWindow, now: number): readonly ScriptArgument[] {
  if (window.kind === 'total') return ['t', '0', ''];
  if (window.kind === 'duration') return [window.sliding ? 's' : 'd', window.ms, ''];
  const { start, end } = windowClock(window).at(now);
  return ['c', start, end];
}

export function holdArguments(counter: Counter, amounts: Amounts, now: number): readonly ScriptArgument[] {
  const amount = counter.of === 'concurrent' ? '1' : wholeText(amounts[counter.of]);
  const most = counter.enforced ? String(counter.max) : '';
  return [...windowArguments(counter.window, now), LETTERS[counter.of], amount, most];
}

export function amountArguments(actual: Amounts): readonly ScriptArgument[] {
  const { requests, input_tokens, output_tokens, tokens, cost } = actual;
  return [requests, input_tokens, output_tokens, tokens, cost].map(wholeText);
}

/** An answer: strings, in the order that the scripts say. */
export type Reply = readonly string[];

/** What an open hold adds to what the script read before. */
export function heldStates(counters: readonly Counter[], reply: Reply, amounts: Amounts | null): CounterState[] {
  const now = Number(reply[1]);
  return counters.map((counter, index) => {
    const [start = '', end = '', used = '0', held = '0'] = reply.slice(3 + index * 4);
    const amount = counter.of === 'concurrent' ? 1n : BigInt(amounts?.[counter.of] ?? 0);
    const sums = { used: BigInt(used), held: BigInt(held) + (amounts === null ? 0n : amount) };
    return stateOf(counter, { start, end, now }, sums);
  });
}

export function readStates(counters: readonly Counter[], reply: Reply): CounterState[] {
  const now = Number(reply[1]);
  return counters.map((counter, index) => {
    const [start = '', end = '', used = '0', held = '0'] = reply.slice(2 + index * 4);
    return stateOf(counter, { start, end, now }, { used: BigInt(used), held: BigInt(held) });
  });
}

/** States of a hold that this process may not have made: the answer names its counters. */
export function namedStates(reply: Reply): CounterState[] {
  const now = Number(reply[1]);
  const states: CounterState[] = [];
  for (let index = 2; index < reply.length; index += 5) {
    const [key = '', start = '', end = '', used = '0', held = '0'] = reply.slice(index, index + 5);
    const window = readPlace(placeText(key, 0))?.window ?? { kind: 'total' };
    states.push(stateOf({ key, window }, { start, end, now }, { used: BigInt(used), held: BigInt(held) }));
  }
  return states;
}

interface Present {
  /** Empty where the script could not know. */
  readonly start: string;
  readonly end: string;
  readonly now: number;
}

function stateOf(
  { key, window }: Pick<Counter, 'key' | 'window'>,
  { start, end, now }: Present,
  sums: { readonly used: bigint; readonly held: bigint },
): CounterState {
  if (window.kind === 'total') return { ...sums, place: placeText(key, 0), resetsAt: null, resetsInMs: null };
  const bounds = start === '' ? windowClock(window).at(now) : { start: Number(start), end: Number(end) };
  const isSliding = window.kind === 'duration' && window.sliding;
  const resetsAt = isSliding ? bounds.start + slotLength(window.ms) + window.ms : bounds.end;
  return { ...sums, place: placeText(key, bounds.start), resetsAt, resetsInMs: resetsAt - now };
}

/** The lines of a seed, as the script reads them. */
export function* seedLines({ used, holds }: Seed): Iterable<string> {
  for (const [place, sum] of used) {
    const entry = placeEntry(place, String(sum));
    if (entry !== null && sum > 0n) yield JSON.stringify({ used: entry });
  }
  for (const [id, { places, ttlMs }] of holds) {
    const entries = Array.from(places, ([place, amount]) => placeEntry(place, wholeText(amount)));
    yield JSON.stringify({ id, ttl: ttlMs, places: entries.filter((entry) => entry !== null) });
  }
}

function placeEntry(text: string, amount: string): object | null {
  const place = readPlace(text);
  if (place === null) return null;
  const { key, of, window, start } = place;
  const [kind, milliseconds] = windowArguments(window, start);
  const isDuration = window.kind === 'duration';
  const { end } = windowClock(window).at(start);
  return {
    k: key,
    d: kind,
    m: isDuration ? milliseconds : 0,
    s: start,
    e: end === Number.POSITIVE_INFINITY ? '' : String(end),
    o: LETTERS[of],
    a: amount,
  };
}

/** `1e21` is not what Redis reads; a part of a token is nothing that can be counted. */
function wholeText(amount: number): string {
  return String(BigInt(amount));
}
