import { getHeapSpaceStatistics } from 'node:v8';
import { isMainThread, Worker } from 'node:worker_threads';
import { limitHeaps } from '../../src/cli/heap-limits.js';

const MEBIBYTE = 1024 * 1024;
const OBJECTS = 400_000;

/** Prints to how many mebibytes the young generation of a thread grows that is to have 6 at most. */
function measure(): void {
  if (process.argv[2] === 'limited') limitHeaps();
  new Worker(new URL(import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 6 } });
}

/** Objects that live for a while are what lets a young generation grow. */
function fill(): void {
  const living: object[] = [];
  let most = 0;
  for (let at = 0; at < OBJECTS; at += 1) {
    living[at % (OBJECTS / 4)] = { at, text: `number ${at}` };
    if (at % 1000 === 0) most = Math.max(most, youngBytes());
  }
  process.stdout.write(String(Math.round(most / MEBIBYTE)));
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

if (isMainThread) measure();
else fill();
