import { setFlagsFromString } from 'node:v8';

/**
 * How V8 treats the heaps of a service process. Call it before its threads start; this thread's heap is laid out already and stays
 * as large as it is.
 */
export function limitHeaps(): void {
  // Threads have young generations by their own `resourceLimits`, which the command line's `--max-semi-space-size` would overrule.
  setFlagsFromString('--max-semi-space-size=0');
  // Little survives a young collection (decision 22): to share that out among threads takes longer than to do it.
  setFlagsFromString('--no-parallel-scavenge');
  // V8 lets a heap in which little grows old grow by a fifth only, and less after an idle second: traffic in bursts had a full collection
  // every four seconds, of which 50 requests felt each. Read at every collection.
  setFlagsFromString('--heap-growing-percent=100');
}
