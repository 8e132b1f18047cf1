import { setFlagsFromString } from 'node:v8';

/**
 * Lets the threads of a service process have young generations by their own `resourceLimits`, which the command line's
 * `--max-semi-space-size` would overrule. Call it before they start; this thread's heap is laid out already and stays as it is.
 */
export function limitHeaps(): void {
  setFlagsFromString('--max-semi-space-size=0');
}
