import type { CounterState, CounterStore } from '../../store/counter-store.js';
import { fieldName } from './fields.js';
import type { LimitRow } from './limiter.js';
import type { Slot } from './slots.js';

/** Counters read together: a list of all must not hold up a request. */
const CHUNK = 500;
/** Characters of a partition value that are kept to be shown. */
const LONGEST_SHOWN = 200;

interface Seen {
  readonly slot: Slot;
  state: CounterState;
  /** Rises with each use. */
  at: number;
}

/**
 * The counters that requests of this process have used lately, for lists. In two generations: when the younger one is full, the older
 * one is forgotten as a whole, which costs a request nothing; a list kept in the order of use cost it more than its limits.
 */
export class SeenCounters {
  /** Counters of one generation. */
  readonly #most: number;
  #young = new Map<string, Seen>();
  #old = new Map<string, Seen>();
  #uses = 0;

  /** Keeps at most `most` counters, the latest half of them for certain. */
  constructor(most: number) {
    this.#most = most >> 1;
  }

  note(slots: readonly Slot[], states: readonly CounterState[]): void {
    for (let index = 0; index < slots.length; index += 1) {
      const [slot, state] = [slots[index], states[index]];
      if (slot === undefined || state === undefined) continue;
      this.#uses += 1;
      const seen = this.#young.get(slot.counter.key);
      if (seen !== undefined && seen.slot.rule === slot.rule) {
        seen.state = state;
        seen.at = this.#uses;
      } else this.#keep(slot.counter.key, { slot: shown(slot), state, at: this.#uses });
    }
  }

  #keep(key: string, seen: Seen): void {
    if (this.#young.size >= this.#most && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, seen);
  }

  #all(): Seen[] {
    const old = [...this.#old].flatMap(([key, seen]) => (this.#young.has(key) ? [] : seen));
    return [...this.#young.values(), ...old].sort((one, other) => other.at - one.at);
  }

  /** Counters of these limits, most recently used first, read in chunks with other work in between. */
  rows(limits: ReadonlySet<string>, store: CounterStore, done: (rows: readonly LimitRow[]) => void): void {
    const all = this.#all().filter(({ slot }) => limits.has(slot.rule.name));
    const rows: LimitRow[] = [];
    const next = (from: number): void => {
      const chunk = all.slice(from, from + CHUNK);
      if (chunk.length === 0) {
        done(rows);
        return;
      }
      store.read(
        chunk.map(({ slot }) => slot.counter),
        (result) => {
          // Without the store: as this process saw them last.
          const states = result.kind === 'read' ? result.states : [];
          for (const [index, seen] of chunk.entries()) rows.push(rowOf(seen, states[index] ?? seen.state));
          setImmediate(next, from + CHUNK);
        },
      );
    };
    next(0);
  }
}

/** Values come from clients and may be long; the counter's key already stands for the whole. */
function shown(slot: Slot): Slot {
  if (slot.partition.every((value) => value.length <= LONGEST_SHOWN)) return slot;
  const partition = slot.partition.map((value) =>
    value.length <= LONGEST_SHOWN ? value : `${value.slice(0, LONGEST_SHOWN)}…`,
  );
  return { ...slot, partition };
}

function rowOf({ slot }: Seen, state: CounterState): LimitRow {
  const { rule, counter, partition } = slot;
  const fields = rule.per.map((field, index) => [fieldName(field), partition[index] ?? ''] as const);
  return {
    limit: rule.name,
    of: counter.of,
    partition: Object.fromEntries(fields),
    state,
    max: counter.max,
    action: rule.action.kind,
  };
}
