import { decimalOf, formatDollars, shiftDecimal } from './decimal.js';
import type { Bound, LimitRule, RouteRule } from './limit-rules.js';
import { formatWindow } from './limit-window.js';
import type {
  Alerts,
  Billing,
  Discount,
  Exporter,
  JwtIssuer,
  PlanPrice,
  Retention,
  StoreSettings,
} from './money-rules.js';
import { formatPartition } from './partition.js';
import { formatDuration, formatShare } from './quantity.js';
import type { PriceOverride, Snapshot } from './snapshot.js';

type Text = Readonly<Record<string, unknown>>;

/** Limits and routes in the words of the config file. Part of `effectiveConfig`. */
export function effectiveRules({ routes, limits }: Snapshot): Text {
  return { routes: routes.map(routeText), limits: limits.map(limitText) };
}

/** Everything about money. Part of `effectiveConfig`. */
export function effectiveMoney(snapshot: Snapshot): Text {
  const { prices, discounts, billing, exporters, alerts } = snapshot;
  return {
    prices: prices.map(priceText),
    discounts: discounts.map(discountText),
    ...optional('billing', billing === null ? null : billingText(billing)),
    exporters: Object.fromEntries(exporters.map((exporter) => [exporter.name, exporterText(exporter)])),
    ...optional('alerts', alerts === null ? null : alertsText(alerts)),
  };
}

export function storeText(store: StoreSettings): Text {
  if (store.kind === 'memory') return { kind: store.kind };
  const { kind, url, cluster, prefix, timeoutMs } = store;
  return { kind, url: url.mask, cluster, prefix, timeout: formatDuration(timeoutMs) };
}

export function retentionText({ recordsMs, contentMs, rollupsMs, ledgerMs }: Retention): Text {
  const kept = (milliseconds: number | null) => (milliseconds === null ? 'off' : formatDuration(milliseconds));
  return { records: kept(recordsMs), content: kept(contentMs), rollups: kept(rollupsMs), ledger: kept(ledgerMs) };
}

export function issuerText(issuer: JwtIssuer): Text {
  return {
    issuer: issuer.issuer,
    jwks: issuer.jwksUrl,
    ...optional('audience', issuer.audience),
    id: issuer.id,
    labels: { ...issuer.labels },
    fixed_labels: { ...issuer.fixed },
    ...optional('models', issuer.models),
    ...optional('endpoints', issuer.endpoints),
  };
}

export function optional(name: string, value: unknown): Text {
  return value === null || value === undefined ? {} : { [name]: value };
}

export function timeText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function routeText({ when, model }: RouteRule): Text {
  return { ...optional('when', when?.source), model };
}

function limitText(limit: LimitRule): Text {
  const { requests, tokens, cost, action } = limit;
  return {
    name: limit.name,
    ...optional('when', limit.when?.source),
    ...(limit.per.length === 0 ? {} : { per: limit.per.map(formatPartition) }),
    ...(requests === null ? {} : { requests: boundText(requests, Number(requests.max)) }),
    ...(tokens === null ? {} : { tokens: { ...boundText(tokens, Number(tokens.max)), of: tokens.of } }),
    ...(cost === null ? {} : { cost: boundText(cost, decimalText(formatDollars(cost.max))) }),
    ...optional('concurrent', limit.concurrent),
    ...(limit.alertAt.length === 0 ? {} : { alert_at: limit.alertAt }),
    action: action.kind === 'use' ? { use: action.model } : action.kind,
    hard: limit.hard,
  };
}

function boundText(bound: Bound, max: number | string): Text {
  return { max, window: formatWindow(bound.window), ...(bound.sliding ? { sliding: true } : {}) };
}

function priceText(price: PriceOverride): Text {
  return {
    model: price.model,
    input: price.input,
    output: price.output,
    ...optional('cache_read', price.cacheRead),
    ...optional('cache_write', price.cacheWrite),
    ...optional('input_audio', price.inputAudio),
    ...optional('output_audio', price.outputAudio),
    ...optional('input_image', price.inputImage),
    ...optional('reasoning', price.reasoning),
    request: price.request,
    unit: price.unit,
    ...optional('from', timeText(price.from)),
    ...optional('until', timeText(price.until)),
  };
}

function discountText({ model, labels, share, from, until }: Discount): Text {
  return {
    model,
    labels: { ...labels },
    discount: formatShare(share),
    ...optional('from', timeText(from)),
    ...optional('until', timeText(until)),
  };
}

function billingText({ customer, rates, plans }: Billing): Text {
  return {
    customer,
    rates: rates.map(({ currency, perDollar, from }) => {
      return { currency, per_dollar: decimalText(perDollar), ...optional('from', timeText(from)) };
    }),
    plans: plans.map(({ name, labels, currency, markup, prices }) => ({
      name,
      labels: { ...labels },
      currency,
      markup: `${shiftDecimal(markup, 2)}%`,
      prices: prices.map(planPriceText),
    })),
  };
}

function planPriceText({ model, input, output, cacheRead, cacheWrite, request }: PlanPrice): Text {
  return {
    model,
    input: decimalText(input),
    output: decimalText(output),
    ...optional('cache_read', cacheRead === null ? null : decimalText(cacheRead)),
    ...optional('cache_write', cacheWrite === null ? null : decimalText(cacheWrite)),
    request: decimalText(request),
  };
}

/** A number where it says the same; otherwise text, which YAML puts in quotes. */
function decimalText(text: string): number | string {
  return decimalOf(Number(text)) === text ? Number(text) : text;
}

function exporterText({ kind, url, secret, batch, customer }: Exporter): Text {
  return { kind, url: webUrlText(url), ...optional('secret', secret?.mask), batch, customer };
}

function alertsText({ webhook, secret, estimatedRatio }: Alerts): Text {
  return {
    webhook: webUrlText(webhook),
    ...optional('secret', secret?.mask),
    estimated_ratio: estimatedRatio === null ? 'off' : formatShare(estimatedRatio),
  };
}

/** Only where it goes: the path of a webhook often is its password. */
function webUrlText(text: string): string {
  const { origin, pathname, search } = new URL(text);
  return pathname === '/' && search === '' ? origin : `${origin}/[secret]`;
}
