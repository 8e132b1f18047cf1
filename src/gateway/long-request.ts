import type { ModelTarget } from '../config/snapshot.js';
import { GatewayError } from '../dialects/error.js';
import { mayReferToStored } from '../dialects/stored-objects.js';
import { Losses } from '../dialects/translate/losses.js';
import { bodyWork, type UpstreamRequest, upstreamRequest } from './attempt.js';
import { LONG_BODY, type TranslationPlace, type WriteInput, type WrittenElsewhere } from './long-work/long-work.js';
import { asBuffer, ownBytes } from './long-work/perform.js';
import type { Parts } from './parts.js';
import type { Admitted, RequestState, WrittenAhead } from './state.js';
import { mayUseStored } from './stored-objects.js';
import { translationContext } from './translation-context.js';
import { type Way, wayTo } from './way.js';
import { mendsOf } from './write-body.js';

type Done = (result: UpstreamRequest | GatewayError) => void;

export function isLong(admitted: Admitted): boolean {
  return admitted.body.length > LONG_BODY;
}

/** Its bytes were lost with a thread, or nobody was to need them any more. */
export function isGone({ body, facts }: Admitted): boolean {
  return body.length === 0 && facts.inputBytes > 0;
}

/**
 * As `upstreamRequest`, for a long body: what would hold up other requests is done in a thread, to which `admitted.body` is
 * lent meanwhile. `done` is called in this turn where nothing of that is needed.
 */
export function longUpstreamRequest(
  parts: Parts,
  state: RequestState,
  { admitted, target }: { readonly admitted: Admitted; readonly target: ModelTarget },
  done: Done,
): void {
  const way = wayTo(parts, state, target);
  if (way === null || !takesLong(state, admitted, way)) {
    done(attempted(parts, () => upstreamRequest(parts, state, admitted, target)));
    return;
  }
  const input = attempted(parts, () => writeInput(parts, state, { admitted, target, way }));
  if (input instanceof GatewayError) {
    done(input);
    return;
  }
  admitted.body = NO_BYTES;
  parts.longWork.run('write', input, (output) => {
    if (output instanceof GatewayError) {
      done(output);
      return;
    }
    const { body, result } = output;
    admitted.body = asBuffer(body);
    if (result.kind === 'refused') {
      done(new GatewayError(result.code, result.message, { param: result.param }));
      return;
    }
    done(
      attempted(parts, () => {
        const ahead = writtenAhead(admitted.body, result, input.translation && { way, place: input.translation });
        return upstreamRequest(parts, state, { ...admitted, ahead }, target);
      }),
    );
  });
}

const NO_BYTES = Buffer.alloc(0);

/** More than a change of a few bytes: each of these looks at the whole body. */
function takesLong(state: RequestState, { facts }: Admitted, way: Way): boolean {
  const { kind, endpoint, translation } = way;
  if (kind.identity === 'aws') return true;
  if (facts.format !== 'json') return false;
  if (translation !== null || kind.envelope !== undefined || mendsOf(kind, endpoint.wire).length > 0) return true;
  return refusesStored(state, way);
}

function refusesStored(state: RequestState, way: Way): boolean {
  return way.translation === null && mayReferToStored(way.endpoint.wire) && !mayUseStored(state, way);
}

interface Writing {
  readonly admitted: Admitted;
  readonly target: ModelTarget;
  readonly way: Way;
}

function writeInput(parts: Parts, state: RequestState, { admitted, target, way }: Writing): WriteInput {
  const { kind, endpoint } = way;
  const call = { endpoint, model: target.model, stream: admitted.facts.stream };
  return {
    work: bodyWork(state, { admitted, target, way, call }),
    translation: translationPlace(parts, state, { admitted, target, way }),
    kind: kind.kind,
    refusesStored: refusesStored(state, way),
    signs: kind.identity === 'aws',
    body: ownBytes(admitted.body),
  };
}

/** The pair of dialects with its context as plain data; null: the provider speaks the client's dialect. */
export function translationPlace(
  parts: Parts,
  state: RequestState,
  { admitted, target, way }: Writing,
): TranslationPlace | null {
  const { translation, kind } = way;
  if (translation === null) return null;
  const { losses: _, ...context } = translationContext(parts, state, { admitted, target, kind, losses: new Losses() });
  return { from: translation.from, to: translation.to, context };
}

function writtenAhead(
  original: Buffer,
  { body, passedOn, memory, warnings, digest, stored }: WrittenElsewhere,
  translated: { readonly way: Way; readonly place: TranslationPlace } | null,
): WrittenAhead {
  const { translation = null } = translated?.way ?? {};
  const context = translated && { ...translated.place.context, losses: new Losses() };
  const recalled = passedOn || !translation || !context ? null : translation.recall(memory, context);
  return {
    body: body ? asBuffer(body) : original,
    call: recalled && { memory, ...recalled },
    warnings,
    digest,
    stored,
  };
}

function attempted<Result>(parts: Parts, work: () => Result): Result | GatewayError {
  try {
    return work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    parts.report.fault('writing a request', error);
    return new GatewayError('gateway_unavailable', 'The gateway could not handle this request.');
  }
}
