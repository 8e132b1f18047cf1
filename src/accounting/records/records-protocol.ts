import type { Keeping, RecordsReader, RecordsState } from './record.js';

/** What the service says to the thread of the records. */
export type ToRecords =
  | { readonly kind: 'ask'; readonly number: number; readonly method: keyof RecordsReader; readonly argument: unknown }
  | { readonly kind: 'poke' }
  | { readonly kind: 'retention'; readonly retention: Keeping }
  | { readonly kind: 'close' };

/** And what it hears. */
export type FromRecords =
  | { readonly kind: 'answer'; readonly number: number; readonly value: unknown }
  | {
      readonly kind: 'refusal';
      readonly number: number;
      /** The question makes no sense; else the records cannot answer. */
      readonly invalid: boolean;
      readonly reason: string;
    }
  | { readonly kind: 'state'; readonly state: RecordsState }
  | { readonly kind: 'problem'; readonly message: string };
