/** Names and labels of one metric; Prometheus text format 0.0.4. */
export interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** One number of a counter; whoever holds it adds to it directly. */
export interface Cell {
  value: number;
}

/**
 * A counter whose hot path is an addition: labels are looked up once, by whoever keeps the cell, and written as text only when
 * somebody reads the metrics.
 */
export class Tally {
  readonly #described: Described;
  readonly #cells = new Map<string, Cell>();

  constructor(described: Described) {
    this.#described = described;
  }

  /** The cell of these values, in the order of the labels; an empty value leaves its label out. */
  cell(...values: readonly string[]): Cell {
    return found(this.#cells, labelText(this.#described.labels, values), () => ({ value: 0 }));
  }

  render(): string {
    const lines = head(this.#described, 'counter');
    for (const [labels, { value }] of this.#cells) lines.push(`${this.#described.name}${braced(labels)} ${value}`);
    return lines.join('\n');
  }
}

/** Counts by bucket, not summed up; then the count above all buckets, then the sum of what was observed. */
export type Spread = Float64Array;

/** A histogram in the same way. */
export class Histogram {
  readonly #described: Described;
  readonly #bounds: readonly number[];
  readonly #spreads = new Map<string, Spread>();

  /** @param bounds upper bounds of the buckets, rising */
  constructor(described: Described, bounds: readonly number[]) {
    this.#described = described;
    this.#bounds = bounds;
    // Without labels there is one series, and it begins at 0.
    if (described.labels.length === 0) this.spread();
  }

  spread(...values: readonly string[]): Spread {
    const text = labelText(this.#described.labels, values);
    return found(this.#spreads, text, () => new Float64Array(this.#bounds.length + 2));
  }

  observe(spread: Spread, value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    spread[at] = (spread[at] ?? 0) + 1;
    const last = bounds.length + 1;
    spread[last] = (spread[last] ?? 0) + value;
  }

  render(): string {
    const { name } = this.#described;
    const lines = head(this.#described, 'histogram');
    for (const [labels, spread] of this.#spreads) {
      let count = 0;
      for (const [at, bound] of [...this.#bounds, '+Inf'].entries()) {
        count += spread[at] ?? 0;
        lines.push(`${name}_bucket{${labels}${labels === '' ? '' : ','}le="${bound}"} ${count}`);
      }
      lines.push(`${name}_sum${braced(labels)} ${spread.at(-1)}`, `${name}_count${braced(labels)} ${count}`);
    }
    return lines.join('\n');
  }
}

function found<T>(known: Map<string, T>, text: string, make: () => T): T {
  let one = known.get(text);
  if (one === undefined) {
    one = make();
    known.set(text, one);
  }
  return one;
}

function head({ name, help }: Described, type: string): string[] {
  return [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`];
}

function labelText(labels: readonly string[], values: readonly string[]): string {
  const pairs: string[] = [];
  for (const [at, label] of labels.entries()) {
    const value = values[at] ?? '';
    if (value !== '') pairs.push(`${label}="${escaped(value)}"`);
  }
  return pairs.join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}
