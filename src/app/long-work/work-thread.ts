import { parentPort } from 'node:worker_threads';
import { giveWay } from '../../accounting/give-way.js';
import { perform } from '../../gateway/long-work/perform.js';
import { type FromWorker, type ToWorker, transfersIn } from './work-messages.js';

giveWay();

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
