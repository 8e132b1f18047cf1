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

const REQUEST_FIELDS = [
  'id',
  'key',
  'endpoint',
  'status',
  'code',
  'model',
  'target',
  'stream',
  'attempts',
  'ms',
  'first_token_ms',
  'input_tokens',
  'output_tokens',
  'usage_source',
  'cost_nano_usd',
  'cache',
  'snapshot',
] as const satisfies readonly (keyof RequestLine)[];

/** How long a masked text is used again: secrets may change with the configuration. */
const MASKED_MS = 1000;
const MOST_MASKED = 1000;
/** Printable ASCII that JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]{0,200}$/;
/** What stands before each value. */
const NAMES = new Map<keyof RequestLine, string>(REQUEST_FIELDS.map((name) => [name, `,"${name}":`]));

export interface RequestLineParts {
  readonly redact: Redact;
  readonly write: (line: string) => void;
}

/** Writes the line of a finished request as pino would. One for each request, so it is built by hand: no object, no serializer. */
export function createRequestLine({ redact, write }: RequestLineParts): (level: string, line: RequestLine) => void {
  const masked = new Map<string, string>();
  let maskedAt = 0;
  /** Of a request's fields only names of models are the client's own words. */
  const safe = (value: string, now: number): string => {
    if (now - maskedAt > MASKED_MS || masked.size >= MOST_MASKED) {
      masked.clear();
      maskedAt = now;
    }
    let text = masked.get(value);
    if (text === undefined) {
      text = JSON.stringify(oneLine(redact(value)));
      masked.set(value, text);
    }
    return text;
  };
  return (level, line) => {
    const time = new Date();
    const now = time.getTime();
    let text = `{"level":"${level}","time":"${time.toISOString()}"`;
    for (const [name, before] of NAMES) {
      const value = line[name];
      if (value === undefined || value === null) continue;
      text += before;
      if (typeof value !== 'string') text += JSON.stringify(value);
      else if (name === 'model' || name === 'target') text += safe(value, now);
      else text += PLAIN.test(value) ? `"${value}"` : JSON.stringify(oneLine(value));
    }
    write(`${text},"msg":"request"}\n`);
  };
}
