import type { Wire } from '../../dialects/endpoint.js';
import type { GatewayError } from '../../dialects/error.js';
import type { ResponseFacts } from '../../dialects/response-reader.js';
import type { TranslationContext } from '../../dialects/translate/translation.js';
import type { BodyWork } from '../write-body.js';

/**
 * Bodies above this are parsed, translated, signed and decoded elsewhere than on the event loop: a mebibyte takes up to 5 ms
 * there, and a turn through another thread less than one.
 */
export const LONG_BODY = 1024 * 1024;

/** A pair of dialects, and what it must know of the request, as plain data. */
export interface TranslationPlace {
  readonly from: Wire;
  readonly to: Wire;
  readonly context: PlainContext;
}

export type PlainContext = Omit<TranslationContext, 'losses'>;

export interface WriteInput {
  /** Given away: whoever asks must not read it again. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly work: BodyWork;
  readonly translation: TranslationPlace | null;
  /** Name of the provider's kind. */
  readonly kind: string;
  /** Look for references to what the provider has stored. */
  readonly refusesStored: boolean;
  /** SHA-256 of the written body is wanted, for a signature. */
  readonly signs: boolean;
}

export interface WriteOutput {
  /** The body that was given away. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly result: WrittenElsewhere | PlainRefusal;
}

/** What `writeBody` gives, as plain data. */
export interface WrittenElsewhere {
  readonly kind: 'written';
  /** null: the client's own, unchanged. */
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** The answer needs no translation: `memory` is nothing. */
  readonly passedOn: boolean;
  readonly memory: unknown;
  readonly warnings: readonly string[];
  /** Hexadecimal; null where nobody asked. */
  readonly digest: string | null;
  /** The field that refers to what the provider has stored. */
  readonly stored: string | null;
}

/** A GatewayError without its class. */
export interface PlainRefusal {
  readonly kind: 'refused';
  readonly code: GatewayError['code'];
  readonly message: string;
  readonly param: string | null;
}

export interface ReadInput {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly wire: Wire;
  readonly translation: TranslationPlace;
  readonly memory: unknown;
}

export interface ReadOutput {
  /** The sample of the content is a text of its own: it is an object of a class. */
  readonly facts: Omit<ResponseFacts, 'sample'> | null;
  readonly sample: string;
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly failure: string;
}

/** Every kind of work, by its name. */
export interface LongJobs {
  readonly write: { readonly input: WriteInput; readonly output: WriteOutput };
  readonly read: { readonly input: ReadInput; readonly output: ReadOutput };
}

export type LongJob = keyof LongJobs;

/** Where work goes that would hold up every other request. */
export interface LongWork {
  /**
   * `done` gets the output, once; or `gateway_unavailable` when too much waits already, the work took too long, or whoever did
   * it broke down. The bytes of `input` are given away, and lost in the latter cases. Answers (`read`) go before requests, and
   * never are too much.
   */
  run<Job extends LongJob>(
    job: Job,
    input: LongJobs[Job]['input'],
    done: (output: LongJobs[Job]['output'] | GatewayError) => void,
  ): void;
  /** Work that waits is refused; what is under way ends with its threads. */
  close(): Promise<void>;
}
