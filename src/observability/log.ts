import { pino, stdTimeFunctions } from 'pino';
import { LineOutput } from './line-output.js';
import { prettyLine } from './pretty-line.js';
import { oneLine, type Redact } from './redact.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

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

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  /** The one line of a finished request: `info`, or `warn` when the fault is a provider's or ours (status ≥ 500). */
  request(line: RequestLine): void;
  write(level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields): void;
  /** An error with its stack and causes, secrets masked. */
  failure(message: string, error: unknown, fields?: LogFields): void;
  /** Everything written so far has left this process when this returns. For the end of the process. */
  flush(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `pretty`: one compact line for people; `json`: one object a line. */
  readonly format: 'json' | 'pretty';
  readonly redact: Redact;
  /** Where lines go; null = standard output, never blocking the event loop. */
  readonly sink: { write(line: string): void } | null;
}

export function createLog(options: LogOptions): Log {
  const { redact } = options;
  const standard = new LineOutput(1);
  const output = options.sink ?? standard;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format === 'pretty' ? { write: (line: string) => output.write(prettyLine(line)) } : output,
  );
  const safe = (value: unknown): unknown => (typeof value === 'string' ? oneLine(redact(value)) : value);
  // Of a request's fields only names of models are the client's own words.
  const bounded = (value: unknown): unknown => (typeof value === 'string' ? oneLine(value) : value);
  const log: Log = {
    request(line) {
      const level = line.status >= 500 ? 'warn' : 'info';
      if (!logger.isLevelEnabled(level)) return;
      const fields: Record<string, unknown> = {};
      for (const name of REQUEST_FIELDS) {
        const value = line[name];
        if (value !== undefined && value !== null)
          fields[name] = name === 'model' || name === 'target' ? safe(value) : bounded(value);
      }
      logger[level](fields, 'request');
    },
    write(level, message, fields = {}) {
      if (!logger.isLevelEnabled(level)) return;
      const entries = Object.entries(fields).map(([name, value]) => [name, safe(value)]);
      logger[level](Object.fromEntries(entries), oneLine(redact(message)));
    },
    failure(message, error, fields = {}) {
      log.write('error', message, { ...fields, error: describeError(error) });
    },
    flush() {
      standard.flush();
    },
  };
  return log;
}

/**
 * The level from `TOLLGATE_LOG`, else `LOG_LEVEL`, else `info`. A word that is no level is an error that names the
 * variable: a typo must not silence a log.
 */
export function readLogLevel(env: Readonly<Record<string, string | undefined>>): LogLevel {
  for (const name of ['TOLLGATE_LOG', 'LOG_LEVEL']) {
    const given = env[name]?.trim().toLowerCase();
    if (given === undefined || given === '') continue;
    const level = LOG_LEVELS.find((known) => known === given);
    if (level === undefined) throw new Error(`${name}=${oneLine(given)}: not a log level (${LOG_LEVELS.join(', ')})`);
    return level;
  }
  return 'info';
}

/** Name, message, code and stack of an error and its causes (at most five), as one text. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current !== undefined && current !== null; depth += 1) {
    parts.push(current instanceof Error ? (current.stack ?? `${current.name}: ${current.message}`) : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(' caused by ');
}
