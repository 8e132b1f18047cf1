import type { FinalEntry } from '../accounting/ledger/entry.js';
import type { ProviderAccount } from '../config/snapshot.js';
import { ERROR_CODES, type ErrorCode, prefixedCode } from '../dialects/error-codes.js';
import type { UsageClass } from '../dialects/usage.js';
import type { Reporter, Unrecorded } from '../gateway/parts.js';
import type { Log } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';

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
      metrics.requestFinished({ ...entry, code: prefixed(entry.code), provider, provider_kind: kind });
      log.request({ ...entry, attempts: entry.attempts.length, ...tokens(entry) });
    },
  };
}

const INPUT_CLASSES: readonly UsageClass[] = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'input_audio',
  'input_image',
];
const OUTPUT_CLASSES: readonly UsageClass[] = ['output', 'reasoning', 'output_audio'];

function tokens(entry: FinalEntry): { input_tokens: number | null; output_tokens: number | null } {
  if (entry.usage_source === null) return { input_tokens: null, output_tokens: null };
  const sum = (classes: readonly UsageClass[]): number =>
    classes.reduce((tokens, name) => tokens + (entry.usage[name] ?? 0), 0);
  return { input_tokens: sum(INPUT_CLASSES), output_tokens: sum(OUTPUT_CLASSES) };
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

function unrecordedFacts(request: Unrecorded): Parameters<Metrics['requestFinished']>[0] {
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
