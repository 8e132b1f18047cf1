import type { Amounts, CounterState } from '../../store/counter-store.js';
import { amountOf } from './amounts.js';
import type { Slot } from './slots.js';

/** Place → amount held there. */
export type PlaceAmounts = Readonly<Record<string, number>>;

interface Known {
  readonly states: readonly CounterState[];
  /** To be copied: of a shape that V8 knows. Null until the same places come again. */
  template: Record<string, number> | null;
}

/** Places of so many requests are at hand; the same few keys ask most, and a window is over soon. */
const MOST_KNOWN = 500;

/**
 * What a hold notes for the ledger. The names of places are many: an object of each set of them would be a shape of its own, so it is
 * made as a dictionary. Of those that come again it has a shape all the same, since that is written several times as fast.
 */
export class HeldPlaces {
  readonly #known = new Map<string, Known>();

  of(slots: readonly Slot[], states: readonly CounterState[], amounts: Amounts): PlaceAmounts {
    const places = this.#empty(states);
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index];
      const state = states[index];
      if (slot !== undefined && state !== undefined) places[state.place] = amountOf(slot.counter.of, amounts);
    }
    return places;
  }

  /** With all places in it, or with none. */
  #empty(states: readonly CounterState[]): Record<string, number> {
    const first = states[0]?.place ?? '';
    const known = this.#known.get(first);
    if (known === undefined || !isSame(known.states, states)) {
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(first, { states, template: null });
      return Object.create(null);
    }
    known.template ??= Object.fromEntries(states.map(({ place }) => [place, 0]));
    return { ...known.template };
  }
}

function isSame(known: readonly CounterState[], states: readonly CounterState[]): boolean {
  if (known.length !== states.length) return false;
  for (let index = 0; index < states.length; index += 1) if (known[index]?.place !== states[index]?.place) return false;
  return true;
}
