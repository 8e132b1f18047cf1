import type { Subject } from '../../config/condition.js';
import type { Bound, LimitRule, TokenKind } from '../../config/limit-rules.js';
import type { Counter, CounterWindow, Dimension } from '../../store/counter-store.js';
import { counterKey, escapeKeyPart, keyPrefix, partitionText } from './counter-key.js';
import { fieldName, fieldReader, type ReadField } from './fields.js';

/** One counter as a request uses it, with all that answers, alerts and lists say about it. */
export interface Slot {
  readonly rule: LimitRule;
  readonly counter: Counter;
  /** Values of `per`, in order. */
  readonly partition: readonly string[];
  /** The counter's maximum as headers say it. */
  readonly maxText: string;
}

interface CompiledBound {
  readonly of: Dimension;
  readonly window: CounterWindow;
  readonly max: bigint;
  readonly maxText: string;
  readonly prefix: string;
}

/** A rule with all that does not depend on the request worked out. */
export interface CompiledRule {
  readonly rule: LimitRule;
  /** Position in the configuration. */
  readonly order: number;
  /** Slots that this request uses, one for each bound. `enforced` false: counted only. */
  slots(subject: Subject, use: { readonly enforced: boolean }): readonly Slot[];
}

const TOKENS: Readonly<Record<TokenKind, Dimension>> = {
  input: 'input_tokens',
  output: 'output_tokens',
  total: 'tokens',
};
const NO_WINDOW: CounterWindow = { kind: 'total' };

/** Partitions of one rule whose slots are kept at hand; the same few keys and users ask most. */
const MOST_KEPT = 500;
/** Values come from clients: longer ones are not kept. */
const LONGEST_KEPT = 200;

/** `timeZone`: IANA name for calendar windows. */
export function compileRule(rule: LimitRule, order: number, timeZone: string): CompiledRule {
  const bounds = boundsOf(rule, timeZone);
  const readers = rule.per.map((field): ReadField => fieldReader(fieldName(field)) ?? (() => undefined));
  const names = rule.per.map((field) => escapeKeyPart(fieldName(field)));
  const build = (partition: readonly string[], enforced: boolean): readonly Slot[] => {
    const text = partitionText(names, partition);
    return bounds.map(({ of, window, max, maxText, prefix }) => {
      const counter = { key: counterKey(prefix, text), of, window, max, enforced };
      return { rule, counter, partition, maxText };
    });
  };
  if (readers.length > 0) {
    // A missing value is the empty string, a partition like any other.
    const partitionOf = (subject: Subject) => readers.map((read) => read(subject) ?? '');
    const [first] = readers;
    const nameOf = (subject: Subject): string =>
      first === undefined || readers.length > 1 ? partitionName(partitionOf(subject)) : (first(subject) ?? '');
    const counting = keeping((subject) => build(partitionOf(subject), false));
    const enforcing = keeping((subject) => build(partitionOf(subject), true));
    return { rule, order, slots: (subject, use) => (use.enforced ? enforcing : counting)(nameOf(subject), subject) };
  }
  const enforcing = build([], true);
  const counting = build([], false);
  return { rule, order, slots: (_subject, { enforced }) => (enforced ? enforcing : counting) };
}

/** Different values have different names: each comes behind its length. */
function partitionName(values: readonly string[]): string {
  let name = '';
  for (const value of values) name += `${value.length} ${value}`;
  return name;
}

function keeping(build: (subject: Subject) => readonly Slot[]): (name: string, subject: Subject) => readonly Slot[] {
  const known = new Map<string, readonly Slot[]>();
  return (name, subject) => {
    if (name.length > LONGEST_KEPT) return build(subject);
    let slots = known.get(name);
    if (slots === undefined) {
      if (known.size >= MOST_KEPT) known.clear();
      slots = build(subject);
      known.set(name, slots);
    }
    return slots;
  };
}

function boundsOf(rule: LimitRule, timeZone: string): readonly CompiledBound[] {
  const bounds: CompiledBound[] = [];
  const add = (of: Dimension, max: bigint, window: CounterWindow) =>
    bounds.push({ of, max, maxText: String(max), window, prefix: keyPrefix(rule.name, of, window) });
  const addBound = (of: Dimension, bound: Bound | null) => {
    if (bound !== null) add(of, bound.max, windowOf(bound, timeZone));
  };
  addBound('requests', rule.requests);
  addBound(TOKENS[rule.tokens?.of ?? 'total'], rule.tokens);
  addBound('cost', rule.cost);
  if (rule.concurrent !== null) add('concurrent', BigInt(rule.concurrent), NO_WINDOW);
  return bounds;
}

function windowOf({ window, sliding }: Bound, timeZone: string): CounterWindow {
  if (window.kind === 'calendar') return { kind: 'calendar', unit: window.unit, timeZone };
  return window.kind === 'duration' ? { kind: 'duration', ms: window.ms, sliding } : NO_WINDOW;
}
