import type { Target } from '../../config/snapshot.js';
import { emptyUsage, type Usage } from '../../dialects/usage.js';
import type { AccessLogLine } from '../access-log.js';
import { costOf } from '../cost.js';
import { bytesToTokens } from '../estimate.js';
import type { AttemptEntry, FinalEntry, HoldEntry } from '../ledger/entry.js';
import type { PriceBook } from '../prices.js';
import { inputTokensOf } from './input-tokens.js';
import { outputTokensOf, outputTokensUnseen } from './output-tokens.js';
import type { TokenWidths } from './token-widths.js';

export interface FinalEntryParts {
  readonly prices: PriceBook;
  /** The provider whose cluster it is, null for clusters that are none. */
  readonly providerOf: (cluster: string) => string | null;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** What was learned about requests and answers; absent = medians of recordings. */
  readonly widths?: TokenWidths;
}

/** The final entry of a hold whose process died, from Envoy's line about the same request. */
export function entryFromLine(hold: HoldEntry, line: AccessLogLine, parts: FinalEntryParts): FinalEntry {
  const status = line.flags.includes('DC') && line.status === 0 ? 499 : line.status;
  const target = servedTarget(hold, line, parts);
  const outcome = { status, code: codeOf(status, line), ms: line.ms, first_token_ms: line.first_byte_ms };
  const attempts = line.attempts > 0 ? [attemptOf(line, target)] : [];
  if (nothingBilled(line, status)) {
    const answered = line.attempts > 0 && line.details === 'via_upstream';
    return finalEntry(hold, { ...outcome, attempts, type: 'void', ...(answered ? { target: target.name } : {}) });
  }
  const input = hold.input_estimate ?? inputTokensOf(hold, target.name, { line, widths: parts.widths });
  // What Envoy sent besides a good answer was its own.
  const output = status < 400 ? outputTokensOf(hold, target.name, { line, widths: parts.widths }) : 0;
  const usage = { ...emptyUsage(), input, output };
  return priced(
    finalEntry(hold, { ...outcome, attempts, type: 'estimate', target: target.name, usage }),
    target,
    parts,
  );
}

/**
 * The final entry when no line will come (Envoy died too) or the hold has expired: booked at the first target with the
 * prompt's estimate and the output of a typical answer, because what was not seen is not free.
 */
export function entryWithoutLine(hold: HoldEntry, parts: FinalEntryParts): FinalEntry {
  const target = splitTarget(hold.targets[0] ?? '');
  const input = hold.input_estimate ?? bytesToTokens(hold.input_tokens);
  const usage = { ...emptyUsage(), input, output: outputTokensUnseen(hold, target.name, parts.widths) };
  const ms = Math.max(0, parts.now() - (Date.parse(hold.time) || parts.now()));
  const outcome = { status: 503, code: 'gateway_unavailable', ms, first_token_ms: null, attempts: [] };
  return priced(finalEntry(hold, { ...outcome, type: 'estimate', target: target.name, usage }), target, parts);
}

/**
 * The service died while it looked into the answer of a repeated attempt, which `again` cannot do without: Envoy refuses the
 * client, but the provider was at work. Had the service not told yet what to send, the words would be `before headers`.
 */
const CUT_BY_DEATH = /^ext_proc_error.*upstream_reset_after_response_started/;

/**
 * No provider was asked, or none gave an answer: refused, reset, timed out, or its own error. Nobody bills that, and the
 * service books it so too (`gateway/settle`). A client that left before the answer (499) may well be billed.
 */
function nothingBilled(line: AccessLogLine, status: number): boolean {
  if (line.attempts === 0) return true;
  if (CUT_BY_DEATH.test(line.details ?? '')) return false;
  return status >= 400 && (status !== 499 || line.details === 'via_upstream');
}

function codeOf(status: number, line: AccessLogLine): string | null {
  if (line.flags.includes('DC')) return 'client_closed';
  if (status < 400) return null;
  if (line.attempts === 0 || line.details?.startsWith('ext_proc_error')) return 'gateway_unavailable';
  if (status === 504) return 'upstream_timeout';
  if (line.details !== 'via_upstream') return 'upstream_unavailable';
  if (status === 429) return 'provider_rate_limited';
  return status === 401 || status === 403 ? 'provider_auth' : 'provider_error';
}

function attemptOf(line: AccessLogLine, target: Target): AttemptEntry {
  const answered = line.details === 'via_upstream' || line.bytes_sent > 0;
  const failed = line.status >= 400;
  return {
    target: target.name,
    status: answered ? line.status : null,
    outcome: failed ? 'error' : line.flags.length > 0 ? 'aborted' : 'unknown',
    reason: line.flags[0] ?? (failed ? String(line.status) : null),
    ms: line.ms,
    first_token_ms: line.first_byte_ms,
  };
}

/** Attempt N goes to the N-th target, and from the list's start again; the line's cluster has the last word. */
function servedTarget(hold: HoldEntry, line: AccessLogLine, parts: FinalEntryParts): Target {
  const byNumber = hold.targets[(Math.max(1, line.attempts) - 1) % Math.max(1, hold.targets.length)] ?? '';
  const provider = line.cluster === null ? null : parts.providerOf(line.cluster);
  const expected = splitTarget(byNumber);
  if (provider === null || expected.provider === provider) return expected;
  return hold.targets.map(splitTarget).find((target) => target.provider === provider) ?? expected;
}

function splitTarget(name: string): Target {
  const slash = name.indexOf('/');
  return { name, provider: name.slice(0, Math.max(0, slash)), model: name.slice(slash + 1) };
}

type Outcome = Pick<FinalEntry, 'type' | 'status' | 'code' | 'ms' | 'first_token_ms' | 'attempts'> & {
  readonly target?: string;
  readonly usage?: Usage;
};

function finalEntry(hold: HoldEntry, outcome: Outcome): FinalEntry {
  const { type, status, code, ms, first_token_ms, attempts } = outcome;
  const { input, output } = outcome.usage ?? emptyUsage();
  return {
    type,
    id: hold.id,
    time: hold.time,
    key: hold.key,
    labels: hold.labels,
    user: hold.user,
    endpoint: hold.endpoint,
    model: hold.model,
    route: hold.route,
    target: outcome.target ?? null,
    answered_model: null,
    stream: hold.stream,
    status,
    code,
    attempts,
    usage: outcome.usage ? { input, output } : {},
    usage_source: outcome.usage ? 'estimated' : null,
    cost_nano_usd: outcome.usage ? null : 0,
    cost_parts: {},
    price_version: null,
    ...(hold.limits ? { limits: Object.keys(hold.limits) } : {}),
    recovered: true,
    first_token_ms,
    ms,
    cache: null,
    snapshot: hold.snapshot,
  };
}

/** A prompt cannot be larger than the model's context: base64 images make bodies much larger than their tokens. */
function priced(entry: FinalEntry, target: Target, parts: FinalEntryParts): FinalEntry {
  const price = parts.prices.find(target, Date.parse(entry.time) || parts.now());
  if (!price) return entry;
  const input = Math.min(entry.usage.input ?? 0, price.contextWindow ?? Number.POSITIVE_INFINITY);
  const usage = { ...entry.usage, input };
  const cost = costOf(usage, price);
  return { ...entry, usage, cost_nano_usd: cost.total, cost_parts: cost.parts, price_version: price.version };
}
