import { LRUCache } from 'lru-cache';
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
}

/** The counters that requests of this process have used lately, for lists. */
export class SeenCounters {
  readonly #seen: LRUCache<string, Seen>;

  constructor(most: number) {
    this.#seen = new LRUCache({ max: most });
  }

  note(slots: readonly Slot[], states: readonly CounterState[]): void {
    for (const [index, slot] of slots.entries()) {
      const state = states[index];
      if (state === undefined) continue;
      const seen = this.#seen.get(slot.counter.key);
      if (seen === undefined || seen.slot.rule !== slot.rule) {
        this.#seen.set(slot.counter.key, { slot: shown(slot), state });
      } else seen.state = state;
    }
  }

  /** Counters of these limits, most recently used first, read in chunks with other work in between. */
  rows(limits: ReadonlySet<string>, store: CounterStore, done: (rows: readonly LimitRow[]) => void): void {
    const all = [...this.#seen.values()].filter(({ slot }) => limits.has(slot.rule.name));
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
