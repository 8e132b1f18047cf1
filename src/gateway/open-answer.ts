import type { Wire } from '../dialects/endpoint.js';
import { type Framing, framingOf } from '../dialects/event-decoder.js';
import { createFold } from '../dialects/readers.js';
import { createClientFraming } from '../dialects/translate/client-framing.js';
import { TranslatingStream } from '../dialects/translate/translating-stream.js';
import { unframe } from '../dialects/translate/unframe.js';
import type { AnswerPipe } from './answer-pipe.js';
import type { HeaderView } from './headers.js';
import { Meter } from './meter.js';
import { PassingPipe } from './passing-pipe.js';
import type { BodyInterest, HeaderPair } from './reply.js';
import { rewrites } from './rewriting.js';
import type { OpenAttempt, RequestState } from './state.js';
import { TranslatingPipe } from './translating-pipe.js';

/** How the body of a successful answer is taken. */
export interface OpenedAnswer {
  /** null: the whole body is wanted first, to be translated. */
  readonly pipe: AnswerPipe | null;
  readonly interest: BodyInterest;
  readonly isStream: boolean;
  readonly set: readonly HeaderPair[];
  readonly remove: readonly string[];
}

const NO_HEADERS: readonly HeaderPair[] = [];
const NO_NAMES: readonly string[] = [];
const LENGTH: readonly string[] = ['content-length'];

/** Dialects of clients that have streams. */
const STREAMED: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate',
]);

/** Chooses once, from what the answer says it is. */
export function openAnswer(state: RequestState, attempt: OpenAttempt, headers: HeaderView): OpenedAnswer {
  const contentType = headers.get('content-type') ?? '';
  const framing = streamFraming(state, attempt, contentType);
  const encoded = isEncoded(headers);
  const client = state.endpoint;
  if (!client) throw new Error('an answer for no endpoint');
  if (!rewrites(state, attempt, headers)) return passed(state, attempt, headers);
  state.translates = true;
  // Nobody asked for a compressed stream, nor for one of vectors: taken whole, it is an answer that cannot be read.
  if (framing === null || encoded || !STREAMED.has(client.wire))
    return { pipe: null, interest: 'buffered', isStream: false, set: [], remove: [] };
  const written = createClientFraming(client.wire, client.named?.sse === false);
  const fold = createFold(attempt.wire);
  const stream: TranslatingStream = new TranslatingStream({
    framing,
    fold,
    translator: attempt.call?.stream() ?? unframe(() => stream.facts.terminal),
    client: written,
  });
  return {
    pipe: new TranslatingPipe(stream),
    interest: 'streamed',
    isStream: true,
    set: [['content-type', written.contentType]],
    remove: ['content-length'],
  };
}

function passed(state: RequestState, attempt: OpenAttempt, headers: HeaderView): OpenedAnswer {
  const contentType = headers.get('content-type') ?? '';
  const facts = state.admitted?.facts;
  const framing = streamFraming(state, attempt, contentType);
  const encoding = (headers.get('content-encoding') ?? '').replace(/^identity$/i, '');
  const plainStream = framing === 'sse' && encoding === '';
  const meter = new Meter(
    { wire: attempt.wire, stream: facts?.stream === true && framing !== null, contentType },
    encoding,
  );
  const hidesUsage = facts?.stream === true && !facts.includeUsage && state.endpoint?.direct === undefined;
  return {
    pipe: new PassingPipe({ meter, wire: attempt.wire, plainStream, hidesUsage }),
    interest: 'streamed',
    isStream: framing !== null,
    set: NO_HEADERS,
    // Bytes may be taken out or added: a length stated by the provider would be wrong then.
    remove: plainStream ? LENGTH : NO_NAMES,
  };
}

/** Only Google has streams that are JSON by their content type. */
function streamFraming(state: RequestState, attempt: OpenAttempt, contentType: string): Framing | null {
  return framingOf(contentType, attempt.wire === 'gemini-generate' && state.admitted?.facts.stream === true);
}

function isEncoded(headers: HeaderView): boolean {
  return !/^(?:identity)?$/i.test(headers.get('content-encoding') ?? '');
}
