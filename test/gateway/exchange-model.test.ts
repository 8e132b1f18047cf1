import fc from 'fast-check';
import t from 'tap';
import type { Exchange } from '../../src/gateway/exchange.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { CHAT, chatBody, headers, SampleParts } from './sample-parts.js';

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n';
const FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}\n\n';
const ANSWER =
  '{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}';
const ERROR = '{"error":{"message":"no","type":"server_error"}}';
const PIECES = [
  TOKEN,
  TOKEN.slice(0, 20),
  TOKEN.slice(20),
  FINISH,
  USAGE,
  ': ping\n\n',
  ANSWER,
  ERROR,
  'data: [DONE]\n\n',
  '',
];
const DETAILS = ['via_upstream', 'response_timeout', 'upstream_reset_before_response_started{connection_failure}', ''];

type Event =
  | { readonly kind: 'headers' | 'trailers' | 'release' | 'stalled' | 'closed' | 'flush' | 'tick' | 'buffer' }
  | { readonly kind: 'body'; readonly model: string; readonly stream: boolean }
  | { readonly kind: 'attempt' | 'peek'; readonly number: number; readonly other: boolean }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly details: string;
      readonly sse: boolean;
      readonly last: boolean;
    }
  | { readonly kind: 'chunk'; readonly text: string; readonly last: boolean };

const body = fc.record({
  kind: fc.constant('body' as const),
  model: fc.constantFrom('smart', 'smart', 'single', 'a/other', 'unknown'),
  stream: fc.boolean(),
});
const answer = fc.record({
  kind: fc.constant('answer' as const),
  status: fc.constantFrom(200, 200, 200, 400, 401, 429, 500, 503),
  details: fc.constantFrom(...DETAILS, 'via_upstream', 'via_upstream', 'via_upstream'),
  sse: fc.boolean(),
  last: fc.boolean(),
});
const chunk = fc.record({ kind: fc.constant('chunk' as const), text: fc.constantFrom(...PIECES), last: fc.boolean() });
const tries = fc.record({
  kind: fc.constantFrom('attempt' as const, 'peek' as const),
  number: fc.integer({ min: 1, max: 2 }),
  other: fc.boolean(),
});
const bare = fc.record({
  kind: fc.constantFrom('trailers', 'release', 'stalled', 'closed', 'flush', 'tick', 'buffer', 'headers' as const),
}) as fc.Arbitrary<Event>;
const anyEvent: fc.Arbitrary<Event> = fc.oneof(body, answer, chunk, chunk, tries, bare);

/** As Envoy tells it: any number of attempts and looks between decision and answer, closed wherever it likes. */
const legal: fc.Arbitrary<readonly Event[]> = fc
  .tuple(
    body,
    fc.array(
      fc.oneof(
        tries,
        bare.filter((event) => event.kind === 'tick'),
      ),
      { maxLength: 4 },
    ),
    answer,
    fc.array(
      fc.oneof({ weight: 5, arbitrary: chunk }, { weight: 1, arbitrary: fc.constant<Event>({ kind: 'release' }) }),
      {
        maxLength: 8,
      },
    ),
    fc.constantFrom<Event['kind']>('trailers', 'stalled', 'tick', 'closed'),
    fc.nat(20),
  )
  .map(([first, middle, headers, chunks, end, closedAt]) => {
    const events: Event[] = [{ kind: 'headers' }, first, { kind: 'flush' }, ...middle, headers, ...chunks];
    events.push({ kind: end } as Event);
    return closedAt < events.length ? events.slice(0, closedAt) : events;
  });

/** What the provider has said so far, apart from what the exchange makes of it. */
class Play {
  readonly parts = new SampleParts();
  readonly exchange: Exchange;
  decided = false;
  saidUsage = false;
  answeredWell = false;
  #over = false;
  #bodies = 0;
  #tries = 1;
  /** An attempt was refused: no provider can answer any more. */
  #refused = false;
  #pushed = 0;
  #answered = 0;
  #ended = false;

  constructor(deferred: boolean) {
    this.parts.mode = deferred ? 'deferred' : 'at_once';
    this.exchange = new Gateway(this.parts).open(headers(CHAT));
  }

  run(event: Event): void {
    if (this.#over && event.kind !== 'flush') return;
    const { exchange, parts } = this;
    if (event.kind === 'headers') exchange.requestHeaders(false, () => undefined);
    else if (event.kind === 'body') {
      // BUFFERED: Envoy sends the body once, and only after its headers were taken.
      if (this.#bodies++ > 0) return;
      exchange.requestBody(chatBody(event.model, event.stream), (reply) => {
        this.decided ||= reply.kind === 'continue';
      });
    } else if (event.kind === 'attempt') this.#attempt(event.number, event.other ? 'cluster-of-a' : 'cluster-of-b');
    else if (event.kind === 'peek') this.#peek(event.number, event.other);
    else if (event.kind === 'answer') this.#answer(event);
    else if (event.kind === 'chunk') this.#chunk(event.text, event.last);
    else if (event.kind === 'buffer') exchange.responseBuffer(Buffer.from(ERROR), () => undefined);
    else if (event.kind === 'trailers') exchange.responseTrailers();
    else if (event.kind === 'release') this.#answered += exchange.releaseChunks().length;
    else if (event.kind === 'stalled') exchange.stalled();
    else if (event.kind === 'closed') this.close();
    else if (event.kind === 'flush') parts.flush();
    else parts.time += 40_000;
  }

  close(): void {
    this.#over = true;
    this.exchange.closed();
  }

  /** Envoy counts upwards, the number of its own first try left out. */
  #attempt(step: number, cluster: string): void {
    this.#tries += step;
    this.exchange.attempt(this.#tries, cluster, (next) => {
      if (next === null || 'refusal' in next) this.#refused = true;
    });
  }

  #peek(number: number, sse: boolean): void {
    const look = this.exchange.peek(number);
    look?.headers(headers({ ':status': sse ? '200' : '400', ...(sse ? SSE : JSON_TYPE) }), false);
    look?.body(Buffer.from(sse ? ': ping\n\n' : ERROR), !sse);
    look?.late();
  }

  #answer(event: Extract<Event, { kind: 'answer' }>): void {
    const upstream = event.details === 'via_upstream' && !this.#refused;
    const origin = { upstream, details: event.details, attempts: 1, cluster: null, failure: null };
    const status = upstream ? event.status : 503;
    this.exchange.responseHeaders(
      headers({ ':status': String(status), ...(event.sse ? SSE : JSON_TYPE) }),
      origin,
      event.last,
    );
    this.answeredWell ||= upstream && status < 400;
  }

  /** Exactly one answer for each chunk, as long as none came after the last. */
  #chunk(text: string, last: boolean): void {
    if (this.exchange.buffered) {
      this.exchange.responseBuffer(Buffer.from(text), () => undefined);
      return;
    }
    if (this.#ended) return;
    this.#ended = last;
    if (/"usage":\{/.test(text)) this.saidUsage = true;
    this.#pushed += 1;
    this.#answered += this.exchange.responseChunk(Buffer.from(text), last).length;
    if (this.#answered + this.exchange.pendingChunks !== this.#pushed) throw new Error('chunks and answers differ');
    if (last && this.#answered !== this.#pushed) throw new Error('a chunk was not answered');
  }
}

const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** What must hold whatever happened; the text names what does not. */
function broken(play: Play): string | null {
  const { holds, finals, unrecorded, attempts } = play.parts;
  if (holds.length > 1) return 'more than one hold';
  if (finals.length > 1) return 'more than one final entry';
  if (holds.length > finals.length) return 'a hold without a final entry';
  if (finals.length + unrecorded.length !== 1) return `told ${finals.length} + ${unrecorded.length} times`;
  const [entry] = finals;
  if (!entry) return null;
  if ((holds.length === 0) !== (entry.type === 'refusal')) return `${entry.type} with ${holds.length} holds`;
  if (entry.attempts.length !== attempts.length) return 'metrics and record differ in attempts';
  if (entry.type === 'settle' && !(entry.usage_source === 'provider' && play.saidUsage)) return 'settled without usage';
  if (entry.cost_nano_usd === null) return 'no cost although everything has a price';
  const billed = play.decided && play.answeredWell;
  if (billed && entry.cost_nano_usd === 0) return 'costs nothing although a provider answered';
  if (entry.cost_nano_usd === 0 && entry.usage_source !== null) return 'used something and costs nothing';
  if ((entry.type === 'void' || entry.type === 'refusal') && entry.cost_nano_usd !== 0) return `${entry.type} costs`;
  return null;
}

function play(events: readonly Event[], deferred: boolean): Play {
  const run = new Play(deferred);
  for (const event of events) run.run(event);
  run.close();
  // A hold on its way, then Envoy's words about the end.
  run.parts.flush();
  run.parts.flush();
  return run;
}

t.test('whatever Envoy tells, in its order and cut anywhere, ends in one entry', async () => {
  fc.assert(
    fc.property(legal, fc.boolean(), (events, deferred) => {
      const run = play(events, deferred);
      const fault = broken(run) ?? run.parts.faults[0] ?? null;
      if (fault !== null) throw new Error(`${fault}: ${JSON.stringify(run.parts.finals)}`);
    }),
    { numRuns: 1500 },
  );
});

t.test('no order of events, however wrong, throws or books twice', async () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 14 }), fc.boolean(), fc.boolean(), (events, deferred, begun) => {
      const run = play(begun ? [{ kind: 'headers' }, ...events] : events, deferred);
      const { holds, finals } = run.parts;
      if (holds.length > 1 || finals.length > 1 || holds.length > finals.length)
        throw new Error(JSON.stringify(finals));
    }),
    { numRuns: 1500 },
  );
});
