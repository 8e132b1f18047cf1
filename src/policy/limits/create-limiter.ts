import type { LimitRule } from '../../config/limit-rules.js';
import type { CounterStore } from '../../store/counter-store.js';
import { Coverage } from './covering.js';
import { Holder } from './holder.js';
import { LimitReader } from './limit-reader.js';
import type { Limiter, Threshold } from './limiter.js';
import { createLimiterMemory, type LimiterMemory } from './limiter-memory.js';
import { type Fallback, LocalShare } from './local-share.js';
import { Outage } from './outage.js';
import { type Later, RetryQueue, realLater } from './retry-queue.js';
import { RuleIndex } from './rule-index.js';
import { Settler } from './settler.js';
import { compileRule } from './slots.js';
import { Thresholds } from './thresholds.js';

/** What is told must not throw: it is told between the counters and the request. */
export interface LimiterOptions {
  /** In the order of configuration. */
  readonly rules: readonly LimitRule[];
  /** IANA name for calendar windows. */
  readonly timeZone: string;
  readonly store: CounterStore;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** For limits that are not hard while the store cannot be reached; absent: they refuse like hard ones. */
  readonly fallback?: Fallback;
  readonly onThreshold: (threshold: Threshold) => void;
  /** A limit that only watches would have refused a request. */
  readonly onShadowed?: (limit: string) => void;
  /** The store went, or is back; told at each change. */
  readonly onStore?: (state: 'reachable' | 'unreachable') => void;
  /** A request used more than was held for it: `amount` of `of` (tokens, nano-dollars) beyond. */
  readonly onOvershoot?: (limit: string, amount: number, of: string) => void;
  /** A settlement was given up because too many wait; its hold expires in the store and counts in full. */
  readonly onLost?: () => void;
  /** Shared by the limiters of all snapshots, so that nothing is told again after a reload. */
  readonly memory?: LimiterMemory;
  readonly later?: Later;
}

/** Settlements that wait for the store: some minutes of a busy process. */
const MOST_WAITING = 10_000;

const nothing = (): void => undefined;

export function createLimiter(options: LimiterOptions): Limiter {
  const { rules, timeZone, store, now, fallback, onStore = nothing } = options;
  const memory = options.memory ?? createLimiterMemory();
  const compiled = rules.map((rule, order) => compileRule(rule, order, timeZone));
  const reader = new LimitReader(compiled, store);
  const coverage = new Coverage(new RuleIndex(compiled), reader);
  const queueOptions = { most: MOST_WAITING, later: options.later ?? realLater };
  const queue = new RetryQueue({ ...queueOptions, onLost: options.onLost ?? nothing });
  const releases = new RetryQueue({ ...queueOptions, onLost: nothing });
  const outage = new Outage({
    now,
    onChange: (state) => {
      if (state === 'reachable') {
        local?.pay();
        queue.wake();
        releases.wake();
      }
      onStore(state);
    },
  });
  const local = fallback === undefined ? null : new LocalShare({ fallback, store, outage, queue, now });
  const thresholds = new Thresholds(memory.told, options.onThreshold);
  const watch = { seen: memory.seen, thresholds, outage, onOvershoot: options.onOvershoot ?? nothing };
  const settler = new Settler({ ...watch, store, local, queue, releases });
  const holder = new Holder({ ...watch, compiled, store, local, settler, onShadowed: options.onShadowed ?? nothing });
  const names = new Set(rules.map((rule) => rule.name));
  return {
    covering: (subject, done) => coverage.find(subject, done),
    hold: (ask, done) => holder.hold(ask, done),
    settle: (id, actual) => settler.settle(id, actual),
    states: (asked, subject, done) => reader.read(asked, subject, done),
    rows: (done) => memory.seen.rows(names, store, done),
  };
}
