import { ContentSample } from '../dialects/content-sample.js';
import { GatewayError } from '../dialects/error.js';
import type { HeaderView } from './headers.js';
import { translationPlace } from './long-request.js';
import { LONG_BODY, type ReadInput, type ReadOutput } from './long-work/long-work.js';
import { asBuffer, ownBytes } from './long-work/perform.js';
import { lostFacts } from './lost-answer.js';
import type { Parts } from './parts.js';
import type { WholeAnswer } from './read-whole.js';
import type { OpenAttempt, RequestState } from './state.js';
import { failedReply, type TranslatedWhole, translateWhole, wholeReply } from './translate-whole.js';
import { wayTo } from './way.js';

/** What compressed JSON may grow to, at its usual best. */
const PACKED = 16;
/** Kept of an answer that is given away: most dialects state at the end what it used. */
const END_BYTES = 16 * 1024;
const NO_END = Buffer.alloc(0);

/** As `translateWhole`; a long answer is read in a thread, and `done` called in a later turn then. */
export function translateAnywhere(
  parts: Parts,
  state: RequestState,
  { headers, body }: { readonly headers: HeaderView; readonly body: Buffer },
  done: (translated: TranslatedWhole) => void,
): void {
  const input = isLongAnswer(headers, body) ? readInput(parts, state, { headers, body }) : null;
  if (input === null) {
    done(translateWhole(state, headers, body));
    return;
  }
  // Its bytes are given away: a thread that fails takes them along, but not what they cost.
  const end = isPacked(headers) ? NO_END : Buffer.from(body.subarray(-END_BYTES));
  const { length } = body;
  parts.longWork.run('read', input, (output) => {
    if (!(output instanceof GatewayError)) done(wholeReply(state, wholeAnswer(output)));
    else {
      state.lost = true;
      state.response = lostFacts(input.wire, { length, end, mostTokens: mostTokensOf(state) });
      done(failedReply(state, output));
    }
  });
}

function isLongAnswer(headers: HeaderView, { length }: Buffer): boolean {
  return length * (isPacked(headers) ? PACKED : 1) > LONG_BODY;
}

function isPacked(headers: HeaderView): boolean {
  return !/^(?:identity)?$/i.test(headers.get('content-encoding') ?? '');
}

/** The bound of the answer's tokens that limits reckon with as well. */
function mostTokensOf({ admitted }: RequestState): number {
  if (admitted === null) return 0;
  const { maxOutputTokens, choices } = admitted.facts;
  return (maxOutputTokens ?? admitted.outputCap) * choices;
}

/** null: this answer needs no translation, or nobody knows which. */
function readInput(
  parts: Parts,
  state: RequestState,
  { headers, body }: { readonly headers: HeaderView; readonly body: Buffer },
): ReadInput | null {
  const { admitted, open } = state;
  const translation = admitted && open?.call ? placeOf(parts, state, open) : null;
  if (translation === null || !open?.call) return null;
  return {
    body: ownBytes(body),
    headers: headers.entries(),
    wire: open.wire,
    translation,
    memory: open.call.memory,
  };
}

function placeOf(parts: Parts, state: RequestState, { target }: OpenAttempt): ReadInput['translation'] | null {
  const way = wayTo(parts, state, target);
  return state.admitted && way && translationPlace(parts, state, { admitted: state.admitted, target, way });
}

function wholeAnswer({ facts, sample, body, failure }: ReadOutput): WholeAnswer {
  return { facts: facts && { ...facts, sample: sampleOf(sample) }, body: body && asBuffer(body), failure };
}

function sampleOf(text: string): ContentSample {
  const sample = new ContentSample();
  sample.addText(text, Buffer.byteLength(text));
  return sample;
}
