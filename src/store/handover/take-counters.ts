import { connect } from 'node:net';
import type { PortableCounters } from '../memory/memory-counters.js';
import { LineSocket } from './line-socket.js';

export interface TakeOptions {
  /** The older one's socket. */
  readonly from: string;
  /** New, and not in use before the promise has been kept. */
  readonly store: PortableCounters;
  /** Where the older one will ask: `store` is shared there already. */
  readonly socketPath: string;
  /** Fills `store` when the older one has nothing to give, because whoever had it all is dead. */
  readonly seed: () => Promise<void>;
}

export type TakeResult =
  | { readonly kind: 'taken' }
  /** Nobody is there, or it ended meanwhile; `store` is as it was. */
  | { readonly kind: 'failed'; readonly error: Error };

/** `{"line"}` is a line of state. */
interface GiveMessage {
  readonly line?: string;
  readonly end?: true;
}

/**
 * Takes over the counters of an older generation, with all that is held. It forwards its own holds and settlements from then on, so
 * that none is counted twice or not at all. Whichever of the two dies on the way, the other one has everything.
 */
export function takeCounters({ from, store, socketPath, seed }: TakeOptions): Promise<TakeResult> {
  return new Promise((resolve) => {
    const state: string[] = [];
    const lines = new LineSocket(connect(from), {
      message: (message) => {
        const { line, end } = message as GiveMessage;
        if (line !== undefined) state.push(line);
        if (!end) return;
        fill(store, state, seed).then(
          () => {
            lines.send({ taken: true });
            resolve({ kind: 'taken' });
          },
          (error: unknown) => {
            resolve({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
            lines.destroy();
          },
        );
      },
      close: (error) => resolve({ kind: 'failed', error }),
    });
    lines.send({ take: socketPath });
  });
}

/** Rejects for state of a version that writes it in another way. */
async function fill(store: PortableCounters, state: readonly string[], seed: () => Promise<void>): Promise<void> {
  if (state.length === 0) await seed();
  else store.importState(state);
}
