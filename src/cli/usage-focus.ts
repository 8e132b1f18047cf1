import type { UsageRow } from '../accounting/records/usage-report.js';
import { csvLine, dollars, inputTokens, outputTokens, type UsageView } from './usage-figures.js';

/** Columns of the FinOps Open Cost and Usage Specification 1.x (https://focus.finops.org) that a gateway can fill. */
const COLUMNS = [
  'BilledCost',
  'BillingCurrency',
  'BillingPeriodStart',
  'BillingPeriodEnd',
  'ChargeCategory',
  'ChargeClass',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodStart',
  'ChargePeriodEnd',
  'ConsumedQuantity',
  'ConsumedUnit',
  'ContractedCost',
  'EffectiveCost',
  'InvoiceIssuerName',
  'ListCost',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'ResourceId',
  'ResourceName',
  'ServiceCategory',
  'ServiceName',
  'ServiceSubcategory',
  'SkuId',
  'Tags',
] as const;

/** One line a target and group. An unknown cost is an empty cell, never 0; refusals (no target) cost nothing and are left out. */
export function usageFocus(view: UsageView): string {
  const period = { start: iso(view.from ?? monthStart(view.now)), end: iso(view.to ?? view.now) };
  const billed = view.rows.filter((row) => String(row['target'] ?? '') !== '');
  const lines = billed.map((row) => {
    const cells = focusCells(row, view, period);
    return csvLine(COLUMNS.map((column) => cells[column] ?? ''));
  });
  return [csvLine(COLUMNS), ...lines].join('');
}

function focusCells(
  row: UsageRow,
  view: UsageView,
  period: { readonly start: string; readonly end: string },
): Readonly<Partial<Record<(typeof COLUMNS)[number], string | number>>> {
  const target = String(row['target']);
  const provider = target.split('/', 1)[0] ?? '';
  const cost = row.cost_nano_usd === null ? '' : dollars(row.cost_nano_usd);
  const tokens = inputTokens(row) + outputTokens(row);
  const tags = Object.fromEntries(view.by.filter((name) => name !== 'target').map((name) => [name, row[name] ?? '']));
  return {
    BilledCost: cost,
    EffectiveCost: cost,
    ListCost: cost,
    ContractedCost: cost,
    BillingCurrency: 'USD',
    BillingPeriodStart: iso(monthStart(Date.parse(period.start))),
    BillingPeriodEnd: iso(nextMonth(Date.parse(period.start))),
    ChargePeriodStart: period.start,
    ChargePeriodEnd: period.end,
    ChargeCategory: 'Usage',
    ChargeDescription: `${row.requests} requests to ${target}`,
    ChargeFrequency: 'Usage-Based',
    ConsumedQuantity: tokens,
    ConsumedUnit: 'Tokens',
    PricingQuantity: tokens,
    PricingUnit: 'Tokens',
    ProviderName: provider,
    PublisherName: provider,
    InvoiceIssuerName: provider,
    ResourceId: target,
    ResourceName: target,
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: provider,
    ServiceSubcategory: 'Generative AI',
    SkuId: target,
    Tags: JSON.stringify(tags),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Midnight UTC of the first day of the month. */
export function monthStart(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function nextMonth(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
