/** What goes wrong with an answer, and where. */
export type Fault = 'none' | 'refuse' | 'empty' | 'cut' | 'cut-clean' | 'stall' | 'error-event';

/** Time between the events of a stream, in milliseconds. */
export interface Pace {
  readonly firstMs: number;
  readonly gapMs: number;
}

/** How a mock model behaves; the same on every endpoint. */
export interface Behaviour {
  readonly text: 'echo' | 'useful' | { readonly bytes: number } | { readonly chunks: number };
  readonly fault: Fault;
  /** Answer every request with this HTTP status; null = do not. */
  readonly error: number | null;
  /** Every second request is a 500. */
  readonly flaky: boolean;
  readonly pace: Pace | null;
  /** False: the answer never states its usage, asked or not. */
  readonly usage: boolean;
  readonly gzip: boolean;
}

export interface MockModel {
  /** The name, or a pattern such as `big-<KiB>`. */
  readonly name: string;
  readonly answer: string;
}

/** The models of the mock provider, for the README and `GET /v1/models`. Patterns carry `<…>`. */
export const MOCK_MODELS: readonly MockModel[] = [
  { name: 'echo', answer: 'the last user message' },
  { name: 'chat', answer: 'a short text; tool calls and structured output when asked' },
  { name: 'embed', answer: 'as `chat`; a name to use for embeddings' },
  { name: 'slow', answer: 'first token after 300 ms, then 20 tokens a second' },
  { name: 'slow-<ms>', answer: 'first token after that many ms, then 20 tokens a second' },
  { name: 'flaky', answer: 'every second request is a 500' },
  { name: 'error-<status>', answer: '400, 401, 403, 404, 429 (with `retry-after: 1`), 500, 502, 503 or 529' },
  { name: 'cut', answer: 'the connection is reset after 3 chunks' },
  { name: 'cut-clean', answer: 'the stream ends after 3 chunks, without finish reason or `[DONE]`' },
  { name: 'empty', answer: 'status 200 and no byte of body' },
  { name: 'stall', answer: 'silence after 3 chunks, for as long as the client stays' },
  { name: 'refuse', answer: 'the connection is closed before any header' },
  { name: 'error-event', answer: 'an error inside a 200 stream after 3 chunks' },
  { name: 'no-usage', answer: 'usage is never stated' },
  { name: 'gzip', answer: 'a body compressed with gzip' },
  { name: 'big-<KiB>', answer: 'a text of that size, at most 65536 KiB' },
  { name: 'chunks-<n>', answer: 'n content chunks back to back, at most 1000000' },
];

const PLAIN: Behaviour = {
  text: 'useful',
  fault: 'none',
  error: null,
  flaky: false,
  pace: null,
  usage: true,
  gzip: false,
};

const FIXED: ReadonlyMap<string, Behaviour> = new Map([
  ['echo', { ...PLAIN, text: 'echo' as const }],
  ['chat', PLAIN],
  ['embed', PLAIN],
  ['slow', { ...PLAIN, pace: { firstMs: 300, gapMs: 50 } }],
  ['flaky', { ...PLAIN, flaky: true }],
  ['no-usage', { ...PLAIN, usage: false }],
  ['gzip', { ...PLAIN, gzip: true }],
  ...(['cut', 'cut-clean', 'empty', 'stall', 'refuse', 'error-event'] as const).map((fault): [string, Behaviour] => [
    fault,
    { ...PLAIN, fault },
  ]),
]);

const ERROR_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 404, 429, 500, 502, 503, 529]);

/** A patterned name gives its number; null when the number is out of the pattern's range. */
const PATTERNS: Readonly<Record<string, (value: number) => Behaviour | null>> = {
  slow: (ms) => (ms <= 600_000 ? { ...PLAIN, pace: { firstMs: ms, gapMs: 50 } } : null),
  error: (status) => (ERROR_STATUSES.has(status) ? { ...PLAIN, error: status } : null),
  big: (kib) => (kib <= 65_536 ? { ...PLAIN, text: { bytes: kib * 1024 } } : null),
  chunks: (count) => (count <= 1_000_000 ? { ...PLAIN, text: { chunks: count } } : null),
};

/**
 * The behaviour of a model by name, or null for a name that the mock does not have. A real model's name may stand before it,
 * for gateways that look at names: `claude-sonnet-4-5+slow`.
 */
export function behaviourOf(name: string): Behaviour | null {
  const model = name.slice(name.lastIndexOf('+') + 1);
  const fixed = FIXED.get(model);
  if (fixed !== undefined) return fixed;
  const match = /^([a-z]+)-(\d{1,7})$/.exec(model);
  if (match === null) return null;
  const pattern = Object.hasOwn(PATTERNS, match[1] ?? '') ? PATTERNS[match[1] ?? ''] : undefined;
  return pattern === undefined ? null : pattern(Number(match[2]));
}
