import type { Wire } from '../dialects/endpoint.js';
import type { JsonObject } from '../dialects/json-value.js';
import type { RequestFacts } from '../dialects/request-facts.js';
import type { RequestMend } from '../dialects/request-mend.js';
import { type Splice, splicePieces } from '../dialects/splice.js';
import { Losses, unsupported } from '../dialects/translate/losses.js';
import type { RememberedCall, Translation, TranslationContext } from '../dialects/translate/translation.js';
import type { Envelope, ProviderKind } from '../providers/kind.js';
import type { BodyBytes } from './reply.js';

/** What one target's body is made by, as plain data: it goes to a thread where the body is long. */
export interface BodyWork {
  readonly facts: RequestFacts;
  /** The provider's dialect. */
  readonly wire: Wire;
  readonly splice: Splice;
  readonly envelope: Envelope | null;
  /** The bytes are for the provider as they are: its own path was asked. */
  readonly direct: boolean;
  /** See `ProviderKind.usageOnRequest`. */
  readonly usageOnRequest: boolean;
  /** What cannot be expressed is refused. */
  readonly strict: boolean;
}

/** What cannot go to a thread, and is made anew there. */
export interface BodyTools {
  /** null: the provider speaks the client's dialect. */
  readonly translation: Translation | null;
  readonly mends: readonly RequestMend[];
  /** The client's body, parsed; asked for only where it is needed. */
  parsed(): JsonObject;
  context(losses: Losses): TranslationContext;
}

export interface WrittenBody {
  /** The client's own buffer where no byte differs; its pieces, not copied, where few do. */
  readonly body: BodyBytes;
  /** null: the answer is in the client's dialect. */
  readonly call: RememberedCall | null;
  /** Fields that the target does not get. */
  readonly warnings: readonly string[];
}

const NO_MENDS: readonly RequestMend[] = [];
const NO_WARNINGS: readonly string[] = [];

/** What this kind mends in requests of a wire. */
export function mendsOf(kind: Pick<ProviderKind, 'mends'>, wire: Wire): readonly RequestMend[] {
  return kind.mends?.filter((mend) => mend.wire === wire) ?? NO_MENDS;
}

/** The body for one target, from the client's. Throws GatewayError `unsupported_parameter` where it cannot be expressed. */
export function writeBody(body: Buffer, work: BodyWork, tools: BodyTools): WrittenBody {
  const { translation } = tools;
  if (translation === null || translation.needed?.(tools.parsed()) === false)
    return { body: ownBody(body, work, tools), call: null, warnings: NO_WARNINGS };
  const losses = new Losses();
  const call = translation.prepare(tools.parsed(), tools.context(losses));
  const [first] = losses.dropped;
  if (work.strict && first !== undefined) {
    throw unsupported(first, `"${first}" cannot be sent to this model, which is strict: nothing is left out.`);
  }
  const asked = work.usageOnRequest ? work.envelope : withoutUsageOption(work.envelope);
  const written = Buffer.from(JSON.stringify(enclosed(mended(call.body, tools), asked)));
  return { body: written, call, warnings: losses.dropped };
}

/** The client's own bytes with the few that differ for this target. */
function ownBody(body: Buffer, { facts, splice, envelope, direct }: BodyWork, tools: BodyTools): BodyBytes {
  const pieces = splicePieces(body, facts, splice);
  const own = pieces.length === 1 ? body : pieces;
  if (facts.format !== 'json' || direct) return own;
  // What is mended is the same before and after the splice.
  const suspect = tools.mends.some((mend) => mend.suspects(body));
  if (envelope === null && !suspect) return own;
  const parsed = JSON.parse(joined(own).toString()) as JsonObject;
  const better = mended(parsed, tools);
  // Bytes stay the client's where there was nothing to do after all.
  return better === parsed && envelope === null ? own : Buffer.from(JSON.stringify(enclosed(better, envelope)));
}

/** In one piece. */
export function joined(body: BodyBytes): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.concat(body);
}

function mended(body: JsonObject, { mends }: Pick<BodyTools, 'mends'>): JsonObject {
  return mends.reduce((better, mend) => mend.mend(better), body);
}

/** Fronts always ask for usage; these vendors send it anyway, and some refuse to be asked. */
function withoutUsageOption(envelope: Envelope | null): Envelope {
  return { set: envelope?.set ?? {}, remove: [...(envelope?.remove ?? []), 'stream_options'] };
}

function enclosed(body: JsonObject, envelope: Envelope | null): JsonObject {
  if (envelope === null) return body;
  const removed = new Set(envelope.remove);
  const kept = Object.entries(body).filter(([name]) => !removed.has(name));
  return { ...Object.fromEntries(kept), ...envelope.set };
}
