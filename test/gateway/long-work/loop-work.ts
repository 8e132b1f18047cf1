import type { LongWork } from '../../../src/gateway/long-work/long-work.js';
import { perform } from '../../../src/gateway/long-work/perform.js';

/** Long work at once and on the event loop: the reference for threads, with plain data on both ways as they have it. */
export const LOOP_WORK: LongWork = {
  run(job, input, done) {
    done(structuredClone(perform(job, structuredClone(input))));
  },
  close: async () => undefined,
};
