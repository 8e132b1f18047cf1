import type { LongJob, LongJobs } from '../../gateway/long-work/long-work.js';

/** One piece of work for a thread. Bytes in it are transferred, not copied. */
export type ToWorker = {
  readonly [Job in LongJob]: { readonly number: number; readonly job: Job; readonly input: LongJobs[Job]['input'] };
}[LongJob];

/** What became of it; a failure is for the log. */
export type FromWorker =
  | { readonly number: number; readonly output: LongJobs[LongJob]['output'] }
  | { readonly number: number; readonly failure: string };

/** The memory of all bytes that lie at the top of a message, or one level below, each once. */
export function transfersIn(value: object): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const look = (member: unknown): void => {
    if (member instanceof Uint8Array && member.buffer instanceof ArrayBuffer) found.add(member.buffer);
  };
  for (const member of Object.values(value)) {
    look(member);
    if (typeof member === 'object' && member !== null && !(member instanceof Uint8Array)) {
      for (const inner of Object.values(member)) look(inner);
    }
  }
  return [...found];
}
