import type { Balance } from '../../config/snapshot.js';

/** The part of a target that balancing looks at. */
export interface BalancedTarget {
  /** Absent or null = 1; 0 = only when all others have failed. */
  readonly weight?: number | null;
}

export interface BalanceSources<T> {
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Milliseconds to the first token, worse for failures; null = unknown. */
  readonly latency: (target: T) => number | null;
}

/** How often a target of unknown speed is preferred to one that is known, when both are drawn. */
const EXPLORE = 0.1;

/**
 * The same targets in the order in which this request tries them, before health has its say.
 *
 * `ordered`: as given. `weighted`: a random permutation in which each place is filled in proportion to the weights of
 * those that are left; weight 0 comes last. `least_latency`: the faster one of two drawn at random goes first (always
 * taking the fastest would send everybody to one target), the others by latency, unknown ones last; of those one goes
 * first now and then, so that it becomes known.
 */
export function balanceTargets<T extends BalancedTarget>(
  targets: readonly T[],
  balance: Balance,
  sources: BalanceSources<T>,
): readonly T[] {
  if (targets.length < 2 || balance === 'ordered') return targets;
  return balance === 'weighted' ? byWeight(targets, sources.random) : byLatency(targets, sources);
}

/** Exponential races (Efraimidis and Spirakis 2006): the smaller key is drawn earlier, at the rate of its weight. */
function byWeight<T extends BalancedTarget>(targets: readonly T[], random: () => number): readonly T[] {
  const keyed = targets.map((target) => {
    const weight = target.weight ?? 1;
    return { target, key: weight > 0 ? -Math.log(1 - random()) / weight : Number.POSITIVE_INFINITY };
  });
  return sortByKey(keyed);
}

interface Keyed<T> {
  readonly target: T;
  readonly key: number;
}

/** Equal keys, infinite ones too, keep their order. */
function sortByKey<T>(keyed: readonly Keyed<T>[]): readonly T[] {
  return [...keyed].sort((one, other) => (one.key === other.key ? 0 : one.key - other.key)).map(({ target }) => target);
}

function byLatency<T>(targets: readonly T[], { random, latency }: BalanceSources<T>): readonly T[] {
  const keyed = targets.map((target) => ({ target, key: latency(target) ?? Number.POSITIVE_INFINITY }));
  const one = Math.floor(random() * keyed.length);
  const other = (one + 1 + Math.floor(random() * (keyed.length - 1))) % keyed.length;
  const first = keyed[fasterOf(keyed, one, other, random)];
  const rest = keyed.filter((entry) => entry !== first);
  return first === undefined ? sortByKey(keyed) : [first.target, ...sortByKey(rest)];
}

function fasterOf<T>(keyed: readonly Keyed<T>[], one: number, other: number, random: () => number): number {
  const oneKey = keyed[one]?.key ?? Number.POSITIVE_INFINITY;
  const otherKey = keyed[other]?.key ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(oneKey) === Number.isFinite(otherKey)) return oneKey <= otherKey ? one : other;
  const [known, unknown] = Number.isFinite(oneKey) ? [one, other] : [other, one];
  return random() < EXPLORE ? unknown : known;
}
