/** Nobody is left alone for longer, whatever they ask for. Source: design, section 2 "Attempts". */
const LONGEST_MS = 60_000;
/** Google's errors are a few kilobytes; nothing longer is parsed. */
const LONGEST_BODY = 65_536;

export type HeaderLookup = (name: string) => string | undefined;

/**
 * Milliseconds (0 to 60,000) for which a failed answer asks to be left alone; null when it says nothing. The first that
 * is stated counts: `retry-after-ms`, `retry-after` (seconds or HTTP date), Google's `RetryInfo` in the body, and the
 * reset times of rate limits of which nothing remains. Only for failures: some providers send `retry-after` with 200.
 *
 * @param headers lower-case names
 * @param body decoded, or null
 */
export function readCooldown(headers: HeaderLookup, body: Buffer | null, nowMs: number): number | null {
  const stated =
    readNumber(headers('retry-after-ms')) ??
    readRetryAfter(headers('retry-after'), nowMs) ??
    readRetryInfo(body) ??
    readResets(headers, nowMs);
  return stated === null ? null : Math.min(Math.max(Math.ceil(stated), 0), LONGEST_MS);
}

function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d{1,15}(\.\d{1,15})?\s*$/.test(text) ? Number(text) : null;
}

/** RFC 9110 section 10.2.3; some providers send fractions of seconds. */
function readRetryAfter(text: string | undefined, nowMs: number): number | null {
  const seconds = readNumber(text);
  if (seconds !== null) return seconds * 1000;
  // Without the zone `Date.parse` would take the machine's own.
  return text !== undefined && /\bGMT\s*$/.test(text) ? readDate(text, nowMs) : null;
}

function readDate(text: string, nowMs: number): number | null {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time - nowMs;
}

/** Limits as `{family}` × `{limit}`; OpenAI's names are used by Azure, Groq, Together, Cerebras and others. */
const LIMITS: readonly (readonly [remaining: string, reset: string])[] = [
  ...['', '-requests', '-tokens', '-input-tokens', '-output-tokens', '-requests-day', '-tokens-minute'].map(
    (limit) => [`x-ratelimit-remaining${limit}`, `x-ratelimit-reset${limit}`] as const,
  ),
  // https://docs.claude.com/en/api/rate-limits#response-headers
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].map(
    (limit) => [`anthropic-ratelimit-${limit}-remaining`, `anthropic-ratelimit-${limit}-reset`] as const,
  ),
];

/** The longest of the exhausted limits: before that the same request fails again. */
function readResets(headers: HeaderLookup, nowMs: number): number | null {
  let longest: number | null = null;
  for (const [remainingName, resetName] of LIMITS) {
    const remaining = headers(remainingName);
    if (remaining === undefined || !/^\s*(-\d+|0+(\.0+)?)\s*$/.test(remaining)) continue;
    const reset = readReset(headers(resetName), nowMs);
    if (reset !== null) longest = Math.max(longest ?? 0, reset);
  }
  return longest;
}

/** Seconds (Azure, Together), an epoch time (OpenRouter), a duration (OpenAI, Groq) or RFC 3339 (Anthropic). */
function readReset(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const number = readNumber(text);
  if (number !== null) {
    // No limit lasts 30 years: from there on it is a date, in seconds or in milliseconds.
    if (number >= 1e12) return number - nowMs;
    return number >= 1e9 ? number * 1000 - nowMs : number * 1000;
  }
  if (/^\s*\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)\s*$/i.test(text)) return readDate(text.trim(), nowMs);
  return readDuration(text);
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3 };

/** `12ms`, `17.4s`, `1m2s`, `6m0s`. https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
function readDuration(text: string): number | null {
  if (!/^\s*(?:\d{1,15}(?:\.\d{1,15})?(?:ms|us|[dhms]))+\s*$/.test(text)) return null;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|us|[dhms])/g)) {
    sum += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return sum;
}

/** https://google.aip.dev/193: `error.details[]` with `@type` …`google.rpc.RetryInfo`; an array on OpenAI's paths. */
function readRetryInfo(body: Buffer | null): number | null {
  if (body === null || body.length > LONGEST_BODY || !body.includes('RetryInfo')) return null;
  const parsed = parse(body);
  const answer = Array.isArray(parsed) ? parsed[0] : parsed;
  const details = member(member(answer, 'error'), 'details');
  if (!Array.isArray(details)) return null;
  for (const detail of details) {
    if (!String(member(detail, '@type')).endsWith('google.rpc.RetryInfo')) continue;
    const delay = member(detail, 'retryDelay');
    if (typeof delay === 'string') return readDuration(delay);
  }
  return null;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
