import { Command, InvalidArgumentError } from 'commander';
import { type PriceQuestion, type PriceView, priceView } from '../accounting/price-view.js';
import { createPriceBook } from '../accounting/prices.js';
import { ledgerEntries } from '../accounting/reports/entry-source.js';
import { type UnpricedModel, UnpricedModels } from '../accounting/unpriced-models.js';
import type { Snapshot, Target } from '../config/snapshot.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { withConfigFlag } from './flags.js';
import { priceSheet, priceTable, unpricedTable } from './prices-table.js';
import { readSnapshot } from './read-snapshot.js';
import { timeFlag } from './time-flag.js';
import { warnOfDamage } from './usage-source.js';
import { UserError } from './user-error.js';

interface PriceFlags {
  readonly at?: number;
  readonly tier?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly unpriced?: boolean;
  readonly json?: boolean;
  readonly config?: string;
  readonly input?: number;
  readonly output?: number;
  readonly reasoning?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly images?: number;
}

/** `tollgate prices`: what would be charged for a target, and what nobody has priced. */
export function pricesCommand(): Command {
  return withConfigFlag(new Command('prices'))
    .description('what a target costs; without one, every target of the configuration')
    .argument('[targets...]', 'provider/model, or the name of a configured model')
    .option('--at <time>', 'at this time: 2026-11-01, 2026-11-01T08:00Z, or -30d', timeFlag)
    .option('--tier <name>', 'as served by this tier: flex, batch')
    .option('--label <name=value>', 'as paid by a key with this label, for discounts', labelFlag)
    .option('--input <tokens>', 'what so many would cost: not cached input', tokenFlag)
    .option('--output <tokens>', 'output without reasoning', tokenFlag)
    .option('--reasoning <tokens>', 'reasoning', tokenFlag)
    .option('--cache-read <tokens>', 'input read from a cache', tokenFlag)
    .option('--cache-write <tokens>', 'input written to a cache for five minutes', tokenFlag)
    .option('--images <count>', 'images made', tokenFlag)
    .option('--unpriced', 'models that were used without a known price, from the ledger')
    .option('--json', 'print JSON')
    .action(async (targets: readonly string[], flags: PriceFlags) => {
      process.stdout.write(await pricesText(targets, flags));
    });
}

async function pricesText(names: readonly string[], flags: PriceFlags): Promise<string> {
  const snapshot = readSnapshot(flags.config);
  if (flags.unpriced) {
    const found = await unpricedModels(snapshot);
    return flags.json ? json(found) : unpricedTable(found);
  }
  const views = viewsOf(snapshot, names, flags);
  if (flags.json) return json(views);
  return names.length === 0 ? priceTable(views) : views.map(priceSheet).join('\n');
}

function viewsOf(snapshot: Snapshot, names: readonly string[], flags: PriceFlags): readonly PriceView[] {
  const priceIds = new Map(
    [...snapshot.providers.values()].map(({ name, kind }) => [name, PROVIDER_KINDS.get(kind)?.priceId ?? null]),
  );
  const book = createPriceBook({ overrides: snapshot.prices, priceIds, discounts: snapshot.discounts });
  const targets = names.length === 0 ? configured(snapshot) : names.flatMap((name) => targetsOf(snapshot, name));
  const unique = [...new Map(targets.map((target) => [target.name, target])).values()];
  return unique.map((target) => priceView(book, target, questionOf(flags)));
}

function questionOf(flags: PriceFlags): PriceQuestion {
  const given = {
    input: flags.input,
    cache_read: flags.cacheRead,
    cache_write_5m: flags.cacheWrite,
    output: flags.output,
    reasoning: flags.reasoning,
    images: flags.images,
  };
  const usage = Object.fromEntries(Object.entries(given).filter(([, amount]) => amount !== undefined));
  return {
    at: flags.at ?? Date.now(),
    labels: flags.label ?? {},
    tier: flags.tier ?? null,
    usage: Object.keys(usage).length === 0 ? null : usage,
  };
}

function configured(snapshot: Snapshot): readonly Target[] {
  return [...snapshot.models.values()].flatMap((model) => model.targets);
}

function targetsOf(snapshot: Snapshot, name: string): readonly Target[] {
  const model = snapshot.models.get(name);
  if (model !== undefined) return model.targets;
  const slash = name.indexOf('/');
  const provider = name.slice(0, Math.max(0, slash));
  if (!snapshot.providers.has(provider)) {
    throw new UserError(`${name}: no configured model or provider has this name`);
  }
  return [{ name, provider, model: name.slice(slash + 1) }];
}

async function unpricedModels(snapshot: Snapshot): Promise<readonly UnpricedModel[]> {
  const models = new UnpricedModels();
  const all = { from: null, to: null };
  const { damages } = await ledgerEntries(snapshot.ledger.directory).eachEntry(all, (entry) => void models.add(entry));
  warnOfDamage(damages);
  return models.list();
}

function json(data: unknown): string {
  return `${JSON.stringify({ data }, null, 2)}\n`;
}

function tokenFlag(text: string): number {
  const count = text.trim() === '' ? Number.NaN : Number(text.replaceAll(/[,_]/g, ''));
  if (!Number.isSafeInteger(count) || count < 0) throw new InvalidArgumentError('It must be a whole number from 0.');
  return count;
}

function labelFlag(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const sign = text.indexOf('=');
  if (sign < 1) throw new InvalidArgumentError('It must be name=value.');
  return { ...earlier, [text.slice(0, sign)]: text.slice(sign + 1) };
}
