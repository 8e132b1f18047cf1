import { pino, stdTimeFunctions } from 'pino';
import { LineOutput } from './line-output.js';
import { prettyLine } from './pretty-line.js';
import { oneLine, type Redact } from './redact.js';
import { createRequestLine, type RequestLine } from './request-line.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

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
  const write =
    options.format === 'pretty' ? (line: string) => output.write(prettyLine(line)) : output.write.bind(output);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const safe = (value: unknown): unknown => (typeof value === 'string' ? oneLine(redact(value)) : value);
  const writeRequest = createRequestLine({ redact, write });
  const levels = { info: logger.isLevelEnabled('info'), warn: logger.isLevelEnabled('warn') };
  const log: Log = {
    request(line) {
      const level = line.status >= 500 ? 'warn' : 'info';
      if (levels[level]) writeRequest(level, line);
    },
    write(level, message, fields = {}) {
      if (!logger.isLevelEnabled(level)) return;
      const entries = Object.entries(fields).map(([name, value]) => [name, safe(value)]);
      logger[level](Object.fromEntries(entries), oneLine(redact(message)));
      // Somebody may be looking for it, or the process about to end.
      standard.hasten();
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
