import { prose } from './prose.js';

/** When a client leaves: before anything came, or after so many events with content. */
export type Leave = { readonly afterMs: number } | { readonly afterEvents: number };

/** One request: what the client asks, what the provider answers, and who breaks it off. */
export interface Plan {
  /** Unique; sent as `user`, so that the provider and the ledger know the request by it. */
  readonly marker: string;
  readonly model: string;
  readonly stream: boolean;
  readonly prompt: string;
  /** The answer, one token each. */
  readonly tokens: readonly string[];
  /** Before the first byte. */
  readonly firstMs: number;
  /** Between two events of a stream. */
  readonly paceMs: number;
  /** The first target answers 503. */
  readonly failsFirst: boolean;
  readonly leave: Leave | null;
}

/** One target, and two of which the first fails now and then. */
export const MODELS = { plain: 'second/gpt-kills', paired: 'pair' } as const;

export interface Shares {
  readonly json: number;
  readonly aborts: number;
  /** Of all requests: those to a pair of targets whose first answers 503. */
  readonly failovers: number;
}

/** Some clients would leave when the answer is over, some pairs are asked when only the second is in order: so 5 % of each. */
export const SHARES: Shares = { json: 0.6, aborts: 0.07, failovers: 0.06 };

/** Half of the requests have a second target, so twice the share of these must fail. */
const PAIRED = 0.5;

export function planRequest(marker: string, random: () => number, shares: Shares): Plan {
  const stream = random() >= shares.json;
  const paired = random() < PAIRED;
  const failsFirst = paired && random() < shares.failovers / PAIRED;
  const tokens = prose(random, between(random, 5, stream ? 150 : 250));
  const paceMs = between(random, 2, 25);
  const firstMs = between(random, 0, stream ? 80 : 300);
  return {
    marker,
    model: paired ? MODELS.paired : MODELS.plain,
    stream,
    prompt: prose(random, between(random, 5, 200)).join(''),
    tokens,
    firstMs,
    paceMs,
    failsFirst,
    leave: random() < shares.aborts ? leaveOf(random, stream, tokens.length) : null,
  };
}

function leaveOf(random: () => number, stream: boolean, tokens: number): Leave {
  // A stream is left in the middle of its answer, seldom before it.
  if (stream && random() < 0.8) return { afterEvents: between(random, 1, tokens) };
  return { afterMs: between(random, 1, 250) };
}

/** A whole number, both ends included. */
function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}
