import type { PriceView, RateView, UnitView } from '../accounting/price-view.js';
import { dollars } from '../accounting/reports/dollars.js';
import type { UnpricedModel } from '../accounting/unpriced-models.js';

const UNKNOWN = 'unknown';

/** One line a target: dollars per million tokens, and where the price comes from. */
export function priceTable(views: readonly PriceView[]): string {
  if (views.length === 0) return 'No models are configured: name a target, such as openai/gpt-5.\n';
  const rows = views.map((view) => {
    const { input, cache_read: cached, output } = view.rates;
    const rates = view.priced ? [usd(input), usd(cached), usd(output)] : [UNKNOWN, '', ''];
    return [view.target, ...rates, view.example ? costText(view.example.cost_nano_usd) : '', view.price_version ?? '-'];
  });
  const examples = views.some((view) => view.example !== null);
  const head = ['TARGET', 'INPUT', 'CACHED', 'OUTPUT', 'COST', 'PRICES FROM'];
  const shown = (cells: readonly string[]) => (examples ? cells : cells.filter((_, column) => column !== 4));
  const unknown = views.filter((view) => !view.priced).length;
  const note = unknown === 0 ? '' : `\n${plural(unknown, 'target')} without a known price: add it under \`prices\`.\n`;
  return `${table([head, ...rows].map(shown), [0, examples ? 5 : 4])}Dollars per million tokens.\n${note}`;
}

/** All that is known about the price of one target. */
export function priceSheet(view: PriceView): string {
  if (!view.priced)
    return `${view.target}\n  no known price: add it under \`prices\`, or requests under a cost limit are refused\n`;
  const window = view.context_window === null ? '' : `, context ${grouped(view.context_window)} tokens`;
  const tiers = view.tiers.length === 0 ? '' : `  tiers with a price: ${view.tiers.join(', ')}\n`;
  const tier = view.tier_unpriced ? '  this tier has no known price: booked at the standard one\n' : '';
  const rates = Object.entries(view.rates).flatMap(([name, rate]) => rateLines(name, rate));
  const units = Object.entries(view.units).map(([name, unit]) => unitLine(name, unit));
  const lines = table([...rates, ...units], [0, 2]);
  return `${view.target}  (${view.price_version}${window})\n${indented(lines)}${tiers}${tier}${exampleText(view)}`;
}

function rateLines(name: string, { usd: base, steps }: RateView): string[][] {
  const first = [name, `$${base}`, 'per million tokens'];
  return [first, ...steps.map((step) => ['', `$${step.usd}`, `above ${grouped(step.above)} input tokens`])];
}

function unitLine(name: string, { usd: price, per }: UnitView): string[] {
  return [name, `$${price}`, per === 1 ? 'each' : `for ${grouped(per)}`];
}

function exampleText({ example }: PriceView): string {
  if (example === null) return '';
  const parts = Object.entries(example.cost_parts).map(([name, nano]) => {
    const used = Object.entries(example.usage).find(([key]) => key === name)?.[1] ?? 1;
    return [name, grouped(used), `$${dollars(nano)}`];
  });
  return `  would cost\n${indented(indented(table([...parts, ['total', '', costText(example.cost_nano_usd)]], [0])))}`;
}

/** Models that were used without a price, most requests first. */
export function unpricedTable(models: readonly UnpricedModel[]): string {
  if (models.length === 0) return 'Every request so far had a known price.\n';
  const rows = models.map((model) => [
    model.target,
    grouped(model.requests),
    grouped(model.input_tokens),
    grouped(model.output_tokens),
    model.first_seen,
    model.last_seen,
  ]);
  return table([['TARGET', 'REQUESTS', 'INPUT', 'OUTPUT', 'FIRST SEEN', 'LAST SEEN'], ...rows], [0, 4, 5]);
}

/** Aligned columns; those in `left` begin at the left, all others end at the right. */
function table(rows: readonly (readonly string[])[], left: readonly number[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const pad = (cell: string, column: number) =>
    left.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((cells) => `${cells.map(pad).join('  ').trimEnd()}\n`).join('');
}

function indented(lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, '  ');
}

function usd(rate: RateView | undefined): string {
  if (rate === undefined) return '-';
  return `$${rate.usd}${rate.steps.length > 0 ? '+' : ''}`;
}

function costText(nano: number | null): string {
  return nano === null ? UNKNOWN : `$${dollars(nano)}`;
}

function plural(count: number, word: string): string {
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
