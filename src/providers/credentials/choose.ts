/** 2³² ÷ golden ratio: multiples of it, modulo 2³², are spread evenly whatever the weights are. */
const STRIDE = 2_654_435_769;

/**
 * One of several by weight. The same `rotation` (any integer: a counter of requests + the attempt's number) always gives
 * the same one; consecutive rotations give each its share by weight, evenly interleaved. A weight of 0 means "not used",
 * unless all are 0: then they share equally. Null when there is none.
 */
export function chooseByWeight<T extends { readonly weight: number }>(items: readonly T[], rotation: number): T | null {
  if (items.length < 2) return items[0] ?? null;
  const total = items.reduce((sum, item) => sum + weightOf(item), 0);
  const point = (Math.imul(rotation, STRIDE) >>> 0) / 2 ** 32;
  if (total === 0) return items[Math.floor(point * items.length)] ?? null;
  let rest = point * total;
  let chosen: T | null = null;
  for (const item of items) {
    const weight = weightOf(item);
    if (weight === 0) continue;
    chosen = item;
    if (rest < weight) break;
    rest -= weight;
  }
  return chosen;
}

function weightOf({ weight }: { readonly weight: number }): number {
  return weight > 0 && Number.isFinite(weight) ? weight : 0;
}
