import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { perform } from '../../gateway/long-work/perform.js';
import { type FromWorker, type ToWorker, transfersIn } from './work-messages.js';

/** Of the kernel's: what others ask for in a moment goes before seconds of work, which still get a quarter of a busy core. */
const NICENESS = 5;
const LEAST_URGENT = 19;

// On Linux it is said of this thread alone, elsewhere of the whole process.
if (process.platform === 'linux') setPriority(Math.min(LEAST_URGENT, getPriority() + NICENESS));

/** One of the threads of thread-pool.ts: does one piece of work after the other. */
parentPort?.on('message', ({ number, job, input }: ToWorker) => {
  let answer: FromWorker;
  try {
    answer = { number, output: perform(job, input) };
  } catch (error) {
    answer = { number, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort?.postMessage(answer, 'output' in answer ? transfersIn(answer.output) : []);
});
