import { LRUCache } from 'lru-cache';

/** Bad keys that one source may send in a window before it is told to slow down. */
const MOST = 20;
const WINDOW_MS = 10_000;
/** Sources remembered at once; the one not seen for longest is forgotten first. */
const MOST_SOURCES = 10_000;

/** Slows down who guesses keys. Only refused keys are ever counted or delayed: a valid one passes, whatever its neighbours do. */
export interface BadKeyGuard {
  /**
   * Counts a bad key of this source. 0: answer 401. Otherwise 429 `rate_limit_exceeded`, and the milliseconds after which
   * the source may try again.
   */
  bad(source: string): number;
}

export interface BadKeyGuardOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

interface Window {
  readonly endsAt: number;
  count: number;
}

export function createBadKeyGuard({ now }: BadKeyGuardOptions): BadKeyGuard {
  const windows = new LRUCache<string, Window>({ max: MOST_SOURCES });
  return {
    bad(source) {
      const group = sourceGroup(source);
      const time = now();
      const known = windows.get(group);
      if (known === undefined || time >= known.endsAt) {
        windows.set(group, { endsAt: time + WINDOW_MS, count: 1 });
        return 0;
      }
      known.count += 1;
      return known.count > MOST ? known.endsAt - time : 0;
    },
  };
}

/**
 * The address of the peer that Envoy wrote at the end of `x-forwarded-for` (with `use_remote_address`, whatever the client put
 * before it). Empty when there is none: all such requests are one source.
 */
export function sourceOf(forwardedFor: string | undefined): string {
  if (forwardedFor === undefined) return '';
  return forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim();
}

/** IPv6 hosts usually have 2^64 addresses of their own: the network is the source. Bounded, since it is kept. */
function sourceGroup(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.slice(0, 64);
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':').slice(0, 64);
}
