import { parentPort } from 'node:worker_threads';
import type { ToWorker } from '../../../src/app/long-work/work-messages.js';

/** A thread that does what the text of a request says: `die`, `hang`, `throw`; anything else goes back as it came. */
parentPort?.on('message', ({ number, input }: ToWorker) => {
  const text = new TextDecoder().decode(input.body);
  const said = /"content":"([^"]*)"/.exec(text)?.[1] ?? '';
  if (said === 'die') process.exit(1);
  if (said === 'hang') for (;;);
  if (said === 'throw') {
    parentPort?.postMessage({ number, failure: 'it did not work' });
    return;
  }
  const body = new TextEncoder().encode(said);
  const result = { kind: 'written', body, passedOn: true, memory: null, warnings: [], digest: null, stored: null };
  parentPort?.postMessage({ number, output: { body: input.body, result } });
});
