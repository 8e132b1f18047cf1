import type { Socket } from 'node:net';
import { emptyStamp, monotonicMicros, stampPlace, writeStamp } from '../load/stamps.js';
import type { AskedFor } from './request-reader.js';
import { Wheel } from './wheel.js';

/** Bytes of one dialect's answers, ready for the wire; events as chunks of HTTP/1.1. */
interface Dialect {
  readonly whole: Buffer;
  /** The first event with the head before it. */
  readonly first: Buffer;
  readonly event: Buffer;
  /** The end of a stream of so many events. */
  readonly last: (events: number) => Buffer;
}

/** How a model's stream is sent. */
interface Pacing {
  readonly events: number;
  /** Between two events; 0 = each in a turn of its own, without a pause. */
  readonly everyMs: number;
}

const PACED: Pacing = { events: 100, everyMs: 10 };
/** By model; every other one is `PACED`. The model `fail` answers 503. */
const PACINGS: Readonly<Record<string, Pacing>> = {
  quick: { events: 30, everyMs: 0 },
  slow: { events: 100, everyMs: 100 },
  open: { events: Number.POSITIVE_INFINITY, everyMs: 10_000 },
};

/** Text of one event, bytes. */
const EVENT_TEXT = 180;
const WORDS = 'y'.repeat(EVENT_TEXT - emptyStamp().length);
/** What a provider would state: a gateway counts the words of answers that state far too little. */
const EVENT_TOKENS = EVENT_TEXT / 4;
const wheel = new Wheel();

/** Answers at once or piece by piece. @returns stops the rest, for a connection that is gone */
export function answer({ path, model, stream }: AskedFor, socket: Socket): () => void {
  const dialect = path.endsWith('/messages') ? MESSAGES : CHAT;
  if (model === 'fail') socket.write(FAILURE);
  else if (!stream) socket.write(dialect.whole);
  else return streamTo(socket, dialect, PACINGS[model] ?? PACED);
  return () => undefined;
}

function streamTo(socket: Socket, dialect: Dialect, { events, everyMs }: Pacing): () => void {
  let sent = 0;
  let due = performance.now();
  let stopped = false;
  const next = (): void => {
    if (stopped) return;
    const template = sent === 0 ? dialect.first : dialect.event;
    socket.write(everyMs > 0 ? stamped(template) : template);
    sent += 1;
    due += everyMs;
    if (sent === events) socket.write(dialect.last(events));
    else if (everyMs === 0) inTurn(next);
    else wheel.add(due, next);
  };
  next();
  return () => {
    stopped = true;
  };
}

const ready: (() => void)[] = [];

/** One event in a turn of the loop, of whichever stream is next, so that events of one stream seldom leave together. */
function inTurn(send: () => void): void {
  ready.push(send);
  if (ready.length === 1) setImmediate(sendNext);
}

function sendNext(): void {
  const send = ready[0];
  send?.();
  ready.shift();
  if (ready.length > 0) setImmediate(sendNext);
}

const places = new Map<Buffer, number>();

function stamped(template: Buffer): Buffer {
  const place = places.get(template) ?? stampPlace(template);
  places.set(template, place);
  const event = Buffer.from(template);
  writeStamp(event, place, monotonicMicros());
  return event;
}

function whole(status: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function dialectOf(reply: object, first: string, event: string, last: (tokens: number) => string): Dialect {
  const ends = new Map<number, Buffer>();
  const end = (events: number): Buffer => Buffer.from(`${chunk(last(events * EVENT_TOKENS))}0\r\n\r\n`);
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  return {
    whole: whole('200 OK', JSON.stringify(reply)),
    first: Buffer.from(head + chunk(first + event)),
    event: Buffer.from(chunk(event)),
    last(events) {
      const known = ends.get(events) ?? end(events);
      ends.set(events, known);
      return known;
    },
  };
}

const FAILURE = whole('503 Service Unavailable', JSON.stringify({ error: { message: 'busy', type: 'server_error' } }));

const completion = (choices: unknown[], more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'bench', choices, ...more })}\n\n`;

const CHAT = dialectOf(
  {
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(380) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 40, completion_tokens: 90, total_tokens: 130 },
  },
  '',
  completion([{ index: 0, delta: { content: emptyStamp() + WORDS }, finish_reason: null }]),
  (tokens) =>
    completion([{ index: 0, delta: {}, finish_reason: 'stop' }]) +
    completion([], { usage: { prompt_tokens: 40, completion_tokens: tokens, total_tokens: 40 + tokens } }) +
    'data: [DONE]\n\n',
);

const named = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const MESSAGE = {
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  model: 'bench',
  content: [{ type: 'text', text: 'x'.repeat(380) }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 40, output_tokens: 90 },
};
const MESSAGES = dialectOf(
  MESSAGE,
  named('message_start', { message: { ...MESSAGE, content: [], stop_reason: null } }) +
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: emptyStamp() + WORDS } }),
  (tokens) =>
    named('content_block_stop', { index: 0 }) +
    named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: tokens } }) +
    named('message_stop', {}),
);
