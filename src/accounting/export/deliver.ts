import { retryAfterMs } from '../retry-after.js';
import type { Destination, ExportEvent } from './destination.js';

/** What became of some events. */
export interface Delivery {
  /** Taken now, or known from before. */
  readonly delivered: readonly ExportEvent[];
  /** Never to be taken. */
  readonly refused: readonly { readonly event: ExportEvent; readonly reason: string }[];
  /** Why the others have to be tried again; null = there are no others. */
  readonly failure: Failure | null;
}

export interface Failure {
  readonly reason: string;
  /** What the receiver asked for. */
  readonly afterMs: number | null;
  /** False when it is certain that the events were not taken. */
  readonly inDoubt: boolean;
}

export interface Line {
  readonly url: string;
  readonly destination: Destination;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Sends events, in as many requests as the receiver needs; stops at the first failure. Never rejects. */
export async function deliver(line: Line, events: readonly ExportEvent[]): Promise<Delivery> {
  const { events: most, parallel } = line.destination.limits;
  const pieces: (readonly ExportEvent[])[] = [];
  for (let at = 0; at < events.length; at += most) pieces.push(events.slice(at, at + most));
  const done: Delivery[] = [];
  const lane = async (): Promise<void> => {
    for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
      const delivery = await deliverPiece(line, piece);
      done.push(delivery);
      if (delivery.failure) pieces.length = 0;
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return join(done);
}

/** One request; what it is refused for is sorted out, the rest sent again. */
async function deliverPiece(line: Line, events: readonly ExportEvent[]): Promise<Delivery> {
  if (events.length === 0) return NOTHING;
  const answer = await send(line, events);
  if ('failure' in answer) return { ...NOTHING, failure: answer.failure };
  if (answer.refusal === null) return { ...NOTHING, delivered: events };
  const { reason, body } = answer.refusal;
  const named = line.destination.refusals(body).events;
  const known = events.filter((_, at) => named.get(at)?.known === true);
  const refused = events.flatMap((event, at) => {
    const one = named.get(at);
    return one && !one.known ? [{ event, reason: one.reason }] : [];
  });
  const others = events.filter((_, at) => !named.has(at));
  const [only, second] = events;
  if (others.length === events.length && second === undefined && only) {
    return { ...NOTHING, refused: [{ event: only, reason }] };
  }
  return join([{ delivered: known, refused, failure: null }, await deliverOthers(line, events, others)]);
}

/** Some were named: send the others again. None was: halve, until the one that is refused stands alone. */
async function deliverOthers(
  line: Line,
  all: readonly ExportEvent[],
  others: readonly ExportEvent[],
): Promise<Delivery> {
  if (others.length < all.length) return deliverPiece(line, others);
  const middle = Math.ceil(all.length / 2);
  const first = await deliverPiece(line, all.slice(0, middle));
  if (first.failure) return first;
  return join([first, await deliverPiece(line, all.slice(middle))]);
}

type Answer =
  | { readonly failure: Failure }
  | { readonly refusal: { readonly reason: string; readonly body: string } | null };

/** These are about what was sent; whatever else is not a success may be mended without a change to it. */
const ABOUT_THE_EVENTS: ReadonlySet<number> = new Set([400, 413, 422]);
const CERTAINLY_NOT_TAKEN: ReadonlySet<number> = new Set([301, 302, 307, 308, 401, 403, 404, 405, 429]);
const LONGEST_ANSWER = 64 * 1024;

async function send(
  { url, destination, fetch, timeoutMs, now }: Line,
  events: readonly ExportEvent[],
): Promise<Answer> {
  try {
    const { headers, body } = destination.request(events, now());
    // A redirect would carry the secret to somebody else.
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    const text = (await response.text()).slice(0, LONGEST_ANSWER);
    if (response.ok) return { refusal: null };
    const reason = `answered ${response.status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`;
    if (ABOUT_THE_EVENTS.has(response.status)) return { refusal: { reason, body: text } };
    const afterMs = retryAfterMs(response.headers.get('retry-after'), now());
    return { failure: { reason, afterMs, inDoubt: !CERTAINLY_NOT_TAKEN.has(response.status) } };
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: { code?: string } };
    const code = cause?.code ?? '';
    const reason = name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : code || message;
    return { failure: { reason, afterMs: null, inDoubt: !/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/.test(code) } };
  }
}

const NOTHING: Delivery = { delivered: [], refused: [], failure: null };

function join(parts: readonly Delivery[]): Delivery {
  const failures = parts.flatMap(({ failure }) => failure ?? []);
  const [first] = failures;
  const failure = first ? { ...first, inDoubt: failures.some(({ inDoubt }) => inDoubt) } : null;
  return {
    delivered: parts.flatMap(({ delivered }) => delivered),
    refused: parts.flatMap(({ refused }) => refused),
    failure,
  };
}
