import { amountsOf } from '../accounting/amounts.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import type { ProviderAccount } from '../config/snapshot.js';
import { ERROR_CODES, type ErrorCode, prefixedCode } from '../dialects/error-codes.js';
import type { Reporter, Unrecorded } from '../gateway/parts.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import type { RequestLine } from '../observability/request-line.js';
import type { RequestFacts } from '../observability/request-metrics.js';

export interface ReporterParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Everybody who wants each finished request: records, live events. */
  readonly listeners: readonly ((entry: FinalEntry) => void)[];
  readonly account: (provider: string) => ProviderAccount | undefined;
  readonly onCredentialRefused: (provider: string) => void;
}

/** Tells log, metrics and records about requests. A listener that fails hurts nobody else. */
export function createReporter(parts: ReporterParts): Reporter {
  const { log, metrics } = parts;
  const alarms = new Alarms();
  const fault = (what: string, error: unknown): void => {
    metrics.count('handler_errors');
    log.failure(what, error);
  };
  return {
    fault,
    attempt: (provider, outcome) => metrics.attempt(provider, outcome),
    credentialRefused(provider) {
      metrics.count('provider_auth_failures');
      parts.onCredentialRefused(provider);
      if (alarms.isDue(provider))
        log.write('error', `provider ${provider} refuses its credential: check it`, { provider });
    },
    overhead: (seconds) => metrics.overhead(seconds),
    remark: (remark) => metrics.countKind('usage_remarks', remark),
    unrecorded(request) {
      log.request({ ...request, code: request.code === '' ? null : request.code });
      metrics.requestFinished(unrecordedFacts(request));
    },
    finished(entry) {
      for (const listener of parts.listeners) {
        try {
          listener(entry);
        } catch (error) {
          fault('telling about a finished request', error);
        }
      }
      if (entry.usage_source !== null && entry.cost_nano_usd === null) metrics.count('unpriced_requests');
      const provider = entry.target === null ? null : entry.target.slice(0, entry.target.indexOf('/'));
      const kind = provider === null ? null : (parts.account(provider)?.kind ?? null);
      metrics.requestFinished(factsOf(entry, provider, kind));
      log.request(lineOf(entry));
    },
  };
}

/** Field by field, here and below: a copy of the whole entry costs more than what reads it. */
function factsOf(entry: FinalEntry, provider: string | null, kind: string | null): RequestFacts {
  return {
    endpoint: entry.endpoint,
    status: entry.status,
    stream: entry.stream,
    usage: entry.usage,
    usage_source: entry.usage_source,
    cost_nano_usd: entry.cost_nano_usd,
    first_token_ms: entry.first_token_ms,
    ms: entry.ms,
    target: entry.target,
    answered_model: entry.answered_model,
    code: prefixed(entry.code),
    provider,
    provider_kind: kind,
  };
}

function lineOf(entry: FinalEntry): RequestLine {
  const counted = entry.usage_source === null ? null : amountsOf(entry);
  return {
    id: entry.id,
    key: entry.key,
    endpoint: entry.endpoint,
    status: entry.status,
    code: entry.code,
    model: entry.model,
    target: entry.target,
    stream: entry.stream,
    attempts: entry.attempts.length,
    ms: entry.ms,
    first_token_ms: entry.first_token_ms,
    input_tokens: counted === null ? null : counted.input_tokens,
    output_tokens: counted === null ? null : counted.output_tokens,
    usage_source: entry.usage_source,
    cost_nano_usd: entry.cost_nano_usd,
    cache: entry.cache,
    snapshot: entry.snapshot,
  };
}

/** `policy.model_not_allowed`: whose fault it is comes first. */
function prefixed(code: string | null): string | null {
  if (code === null || code === '') return null;
  if (code === 'client_closed') return 'client.client_closed';
  return isErrorCode(code) ? prefixedCode(code) : `provider.${code}`;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function unrecordedFacts(request: Unrecorded): RequestFacts {
  return {
    endpoint: request.endpoint,
    status: request.status,
    stream: false,
    usage: {},
    usage_source: null,
    cost_nano_usd: null,
    first_token_ms: null,
    ms: request.ms,
    target: null,
    answered_model: null,
    code: prefixed(request.code),
    provider: null,
    provider_kind: null,
  };
}

const ALARM_EVERY_MS = 10_000;

/** Says the same thing about one provider only now and then. */
class Alarms {
  readonly #told = new Map<string, number>();

  isDue(provider: string): boolean {
    const now = performance.now();
    const last = this.#told.get(provider);
    if (last !== undefined && now - last < ALARM_EVERY_MS) return false;
    this.#told.set(provider, now);
    return true;
  }
}
