import { createHash } from 'node:crypto';
import { GatewayError } from '../../dialects/error.js';
import type { JsonObject } from '../../dialects/json-value.js';
import { storedReference } from '../../dialects/stored-objects.js';
import { Losses } from '../../dialects/translate/losses.js';
import { findTranslation } from '../../dialects/translate/registry.js';
import type { Translation } from '../../dialects/translate/translation.js';
import { PROVIDER_KINDS } from '../../providers/registry.js';
import { readWhole } from '../read-whole.js';
import { type BodyTools, joined, mendsOf, writeBody } from '../write-body.js';
import type {
  LongJob,
  LongJobs,
  ReadInput,
  ReadOutput,
  TranslationPlace,
  WriteInput,
  WriteOutput,
  WrittenElsewhere,
} from './long-work.js';

/** Does one piece of work, with the functions that do short ones on the event loop. Input and output are plain data. */
export function perform<Job extends LongJob>(job: Job, input: LongJobs[Job]['input']): LongJobs[Job]['output'] {
  return JOBS[job](input);
}

const JOBS: { readonly [Job in LongJob]: (input: LongJobs[Job]['input']) => LongJobs[Job]['output'] } = {
  write: performWrite,
  read: performRead,
};

function performWrite(input: WriteInput): WriteOutput {
  try {
    return { body: input.body, result: written(input) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, message, param } = error;
    return { body: input.body, result: { kind: 'refused', code, message, param } };
  }
}

function written({ body: bytes, work, translation, kind, refusesStored, signs }: WriteInput): WrittenElsewhere {
  const original = asBuffer(bytes);
  const stored = refusesStored ? storedReference(work.wire, original) : null;
  // It will be refused: nobody wants the rest.
  if (stored !== null) return { kind: 'written', body: null, ...NOT_TRANSLATED, warnings: [], digest: null, stored };
  const { body: pieces, call, warnings } = writeBody(original, work, toolsFor(original, { work, translation, kind }));
  const body = joined(pieces);
  return {
    kind: 'written',
    body: body === original ? null : ownBytes(body),
    ...(call === null ? NOT_TRANSLATED : { passedOn: false, memory: call.memory }),
    warnings,
    digest: signs ? createHash('sha256').update(body).digest('hex') : null,
    stored,
  };
}

const NOT_TRANSLATED = { passedOn: true, memory: null } as const;

function toolsFor(
  body: Buffer,
  { work, translation, kind }: Pick<WriteInput, 'work' | 'translation' | 'kind'>,
): BodyTools {
  const found = PROVIDER_KINDS.get(kind);
  let parsed: JsonObject | null = null;
  return {
    translation: translation && translationAt(translation),
    mends: found ? mendsOf(found, work.wire) : [],
    parsed() {
      parsed ??= JSON.parse(body.toString()) as JsonObject;
      return parsed;
    },
    context(losses) {
      if (translation === null) throw new Error('a body that is passed on has nothing to be translated by');
      return { ...translation.context, losses };
    },
  };
}

function performRead({ body, headers, wire, translation, memory }: ReadInput): ReadOutput {
  const named = new Map(headers);
  const call = translationAt(translation).recall(memory, { ...translation.context, losses: new Losses() });
  const { facts, body: read, failure } = readWhole(asBuffer(body), { wire, header: (name) => named.get(name), call });
  if (facts === null) return { facts, sample: '', body: null, failure };
  const { sample, ...plain } = facts;
  return { facts: plain, sample: sample.text(), body: read && ownBytes(read), failure };
}

function translationAt({ from, to }: TranslationPlace): Translation {
  const found = findTranslation(from, to);
  if (found === null) throw new Error(`no translation from ${from} to ${to}`);
  return found;
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Bytes above this share of what their memory holds may be given away with it. */
const OWN_SHARE = 0.9;

/** Bytes whose memory may be given away: nobody else's lie in it. A copy where that is not so. */
export function ownBytes(bytes: Buffer): Uint8Array<ArrayBuffer> {
  if (!ownsMemory(bytes)) return new Uint8Array(bytes);
  const { buffer, byteOffset, length } = bytes;
  return new Uint8Array(buffer, byteOffset, length);
}

/** Nobody else's bytes lie in this memory. */
export function ownsMemory(bytes: Buffer): bytes is Buffer<ArrayBuffer> {
  const { buffer, length } = bytes;
  return buffer instanceof ArrayBuffer && length >= buffer.byteLength * OWN_SHARE;
}
