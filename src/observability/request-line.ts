import { isoTime } from './iso-time.js';
import { oneLine, type Redact } from './redact.js';

/** What a finished request may say in the log; every other property is left out. No user, no labels, no content. */
export interface RequestLine {
  readonly id: string;
  readonly key: string | null;
  readonly endpoint: string;
  readonly status: number;
  readonly ms: number;
  readonly code?: string | null;
  readonly model?: string | null;
  readonly target?: string | null;
  readonly stream?: boolean;
  /** Number of attempts. */
  readonly attempts?: number;
  readonly first_token_ms?: number | null;
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly usage_source?: string | null;
  readonly cost_nano_usd?: number | null;
  readonly cache?: string | null;
  readonly snapshot?: string | null;
}

/** How long a masked text is used again: secrets may change with the configuration. */
const MASKED_MS = 1000;
const MOST_MASKED = 1000;
/** Printable ASCII, which is shown as it is. */
const PLAIN = /^[ -~]{0,200}$/;

export interface RequestLineParts {
  readonly redact: Redact;
  readonly write: (line: string) => void;
}

/**
 * Writes the line of a finished request as pino would; null and undefined are left out. One for each request: only texts that
 * need it are cleaned, and one call of `JSON.stringify` writes what is listed here.
 */
export function createRequestLine({ redact, write }: RequestLineParts): (level: string, line: RequestLine) => void {
  const masked = new Map<string, string>();
  let maskedAt = 0;
  /** Of a request's fields only names of models are the client's own words. */
  const safe = (value: string | null | undefined, now: number): string | undefined => {
    if (value === null || value === undefined) return undefined;
    if (now - maskedAt > MASKED_MS || masked.size >= MOST_MASKED) {
      masked.clear();
      maskedAt = now;
    }
    let text = masked.get(value);
    if (text === undefined) {
      text = oneLine(redact(value));
      masked.set(value, text);
    }
    return text;
  };
  return (level, line) => {
    const now = Date.now();
    const text = JSON.stringify({
      level,
      time: isoTime(now),
      id: clean(line.id),
      key: clean(line.key),
      endpoint: clean(line.endpoint),
      status: line.status,
      code: clean(line.code),
      model: safe(line.model, now),
      target: safe(line.target, now),
      stream: line.stream,
      attempts: line.attempts,
      ms: line.ms,
      first_token_ms: line.first_token_ms ?? undefined,
      input_tokens: line.input_tokens ?? undefined,
      output_tokens: line.output_tokens ?? undefined,
      usage_source: clean(line.usage_source),
      cost_nano_usd: line.cost_nano_usd ?? undefined,
      cache: clean(line.cache),
      snapshot: clean(line.snapshot),
      msg: 'request',
    });
    write(`${text}\n`);
  };
}

function clean(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined) return undefined;
  return PLAIN.test(text) ? text : oneLine(text);
}
