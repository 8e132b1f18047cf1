import { setFlagsFromString } from 'node:v8';

/**
 * How far V8 lets old objects pile up, in percent of what lived through the last full collection. By itself it takes up to four
 * times that, 100 MB of garbage, for a full collection less in some thousand requests.
 */
const GROWING_PERCENT = 50;

/**
 * Bounds the memory of a service process; before its threads start. This thread's young generation is the command line's
 * (`--max-semi-space-size`) and already laid out. Threads have `resourceLimits` of their own, which the flag would overrule.
 */
export function limitHeaps(): void {
  setFlagsFromString('--max-semi-space-size=0');
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}
