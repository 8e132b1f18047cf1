import { amountsOf } from '../accounting/amounts.js';
import { costOf } from '../accounting/cost.js';
import { estimateCutAnswer } from '../accounting/estimates/cut-answer.js';
import { withTokenUnderWay } from '../accounting/estimates/under-way.js';
import { dollarsToNano } from '../accounting/exact.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import { namedTier, priceAtTier, type TierPrice } from '../accounting/service-tiers.js';
import { USAGE_CLASSES, type Usage } from '../dialects/usage.js';
import { isoTime } from '../observability/iso-time.js';
import { explain, needsWords, unexplained } from './attempts.js';
import { freeBody } from './drop-body.js';
import type { Parts } from './parts.js';
import { remarkOn } from './remarks.js';
import type { RequestState, Writable } from './state.js';

/** Usage with where it comes from; null source = nothing was used. */
interface Counted {
  readonly usage: Usage | null;
  readonly source: FinalEntry['usage_source'];
}

/**
 * Ends a request exactly once: usage → cost → ledger → records, metrics, log. Called by the last byte, by the end of the
 * stream, and by refusals; whoever comes first wins.
 */
export function settle(parts: Parts, state: RequestState): void {
  if (state.finished) return;
  state.finished = true;
  // Before any wait for Envoy's logs, which is not the client's time.
  state.endedAt = parts.clock.monotonic();
  if (!state.key || (state.hold === 'none' && !recorded(state.status))) {
    parts.report.unrecorded({
      id: state.id,
      endpoint: state.endpoint?.path ?? '',
      status: state.status,
      code: state.code ?? '',
      key: state.key?.id ?? null,
      ms: Math.round(parts.clock.monotonic() - state.startedAt),
    });
    return;
  }
  const booked = book(parts, state);
  remarkOn(parts, state, booked);
  // Before Envoy's logs are asked: whoever waits for the place of a request that is over must not wait for them.
  if (state.held) state.rules.limiter.settle(state.id, amountsOf(booked));
  if (!needsWords(state)) {
    write(parts, state, booked);
    return;
  }
  parts.envoyLog.ask({ id: state.id, attempts: unexplained(parts, state) }, (words) => {
    explain(parts, state, words);
    write(parts, state, booked);
  });
}

function write(parts: Parts, state: RequestState, booked: Booked): void {
  const entry = finalEntry(state, booked);
  parts.ledger.finish(entry);
  if (parts.content && state.admitted && state.hold === 'held') {
    const { id, time } = entry;
    parts.content.write({ id, time, request: state.admitted.body, response: Buffer.concat(state.kept ?? []) });
  }
  state.hold = 'none';
  parts.report.finished(entry);
  freeBody(parts, state);
}

/** Refusals that records show: a known key's 400, 403 and 429. */
function recorded(status: number): boolean {
  return status === 400 || status === 403 || status === 429;
}

/** What the request used and what it costs. */
type Booked = Pick<
  FinalEntry,
  | 'type'
  | 'usage'
  | 'usage_source'
  | 'cost_nano_usd'
  | 'cost_parts'
  | 'price_version'
  | 'service_tier'
  | 'stated_cost_nano_usd'
>;

function book(parts: Parts, state: RequestState): Booked {
  const counted = count(parts, state);
  const tiered = counted.usage ? priceOf(state) : null;
  if (tiered?.unpriced === true) parts.report.remark('tier_unpriced');
  const price = tiered?.price ?? null;
  const cost = price && counted.usage ? costOf(counted.usage, price) : null;
  const tier = namedTier(state.response?.serviceTier ?? null);
  const stated = counted.usage ? (state.response?.statedCostUsd ?? null) : null;
  const booked: Writable<Booked> = {
    type: entryType(state, counted),
    usage: counted.usage ? withoutZeros(counted.usage) : {},
    usage_source: counted.source,
    cost_nano_usd: cost ? cost.total : counted.usage ? null : 0,
    cost_parts: cost?.parts ?? {},
    price_version: price?.version ?? null,
  };
  if (tier !== null) booked.service_tier = tier;
  if (stated !== null) booked.stated_cost_nano_usd = dollarsToNano(stated);
  return booked;
}

/** Discounts belong to the key: what a client says of itself in metadata must not make it cheaper. */
function priceOf(state: RequestState): TierPrice | null {
  const { served, rules, key, arrivedAt } = state;
  const listed = served && rules.prices.find(served, arrivedAt, key?.labels);
  return listed ? priceAtTier(listed, state.response?.serviceTier ?? null) : null;
}

function finalEntry(state: RequestState, booked: Booked): FinalEntry {
  const target = state.status < 400 || state.passed ? (state.served?.name ?? null) : null;
  const entry: Writable<FinalEntry> = {
    type: booked.type,
    id: state.id,
    time: isoTime(state.arrivedAt),
    key: state.key?.id ?? '',
    labels: state.labels,
    user: state.user,
    endpoint: state.endpoint?.path ?? '',
    model: state.asked,
    route: state.admitted?.route ?? null,
    target,
    answered_model: state.response?.model ?? null,
    stream: state.admitted?.facts.stream ?? false,
    status: state.status,
    code: state.code,
    attempts: state.attempts,
    usage: booked.usage,
    usage_source: booked.usage_source,
    cost_nano_usd: booked.cost_nano_usd,
    cost_parts: booked.cost_parts,
    price_version: booked.price_version,
    first_token_ms: state.firstTokenAt === null ? null : Math.round(state.firstTokenAt - state.startedAt),
    ms: Math.round(state.endedAt - state.startedAt),
    cache: null,
    snapshot: state.rules.snapshot.version,
  };
  if (booked.service_tier !== undefined) entry.service_tier = booked.service_tier;
  if (booked.stated_cost_nano_usd !== undefined) entry.stated_cost_nano_usd = booked.stated_cost_nano_usd;
  if (state.held) entry.limits = Object.keys(state.held.places);
  return entry;
}

function entryType(state: RequestState, counted: Counted): FinalEntry['type'] {
  if (state.hold === 'none') return 'refusal';
  if (counted.source === 'provider') return 'settle';
  return counted.source === null ? 'void' : 'estimate';
}

/** The provider's own numbers; else, if a provider may have worked for this request, an estimate from what was seen. */
function count(parts: Parts, state: RequestState): Counted {
  const { admitted, response } = state;
  if (!admitted || !state.passed || !state.served) return { usage: null, source: null };
  const ended = response?.terminal === true || (state.complete && !brokeOff(state));
  if (response?.usage && ended) return { usage: response.usage, source: 'provider' };
  // A provider that answered with an error bills nothing; so does one that nobody reached.
  if (state.status >= 400 && state.status !== 499 && !state.lost) return { usage: null, source: null };
  const found = estimateCutAnswer(parts.tokens, {
    request: admitted,
    inputTokens: state.countedInput,
    response,
    target: state.served.name,
  });
  return state.complete ? found : withTokenUnderWay(found, response);
}

/** The stream's bytes came whole, but what they say does not end: a count that it stated on its way is of its beginning. */
function brokeOff({ admitted, code }: RequestState): boolean {
  return admitted?.facts.stream === true && code === 'provider_error';
}

function withoutZeros(usage: Usage): Partial<Usage> {
  // Both are always there, so that readers need no case for "missing".
  const kept: Partial<Usage> = { input: usage.input, output: usage.output };
  for (const name of USAGE_CLASSES) if (usage[name] !== 0) kept[name] = usage[name];
  return kept;
}
