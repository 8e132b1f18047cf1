import { dollars } from '../reports/dollars.js';

/** Something that a person should know. */
export type AlertEvent =
  | LimitThreshold
  | { readonly kind: 'unpriced_model'; readonly target: string }
  | { readonly kind: 'estimated_ratio'; readonly share: number; readonly requests: number }
  | { readonly kind: 'limit_store_down' | 'limit_store_up' }
  | { readonly kind: 'provider_auth'; readonly provider: string }
  | { readonly kind: 'ledger_unwritable' | 'ledger_writable' };

/** A share of a limit was crossed, as the limiter tells it. */
export interface LimitThreshold {
  readonly kind: 'limit_threshold';
  readonly limit: string;
  /** What is counted: `requests`, `tokens`, `cost`… */
  readonly of: string;
  /** Values of `per`, in order. */
  readonly partition: readonly string[];
  /** 0.8 = 80 %. */
  readonly share: number;
  /** Nano-dollars where `of` is `cost`. */
  readonly used: bigint;
  readonly max: bigint;
  /** Epoch milliseconds; null = never. */
  readonly resetsAt: number | null;
  /** Names the counter and its window. */
  readonly place: string;
}

/** An event for people and machines. */
export interface AlertNotice {
  readonly subject: string;
  /** The same event is told once in it. */
  readonly window: string;
  /** When the window is over, epoch milliseconds. */
  readonly until: number;
  readonly text: string;
  readonly details: Readonly<Record<string, string | number | readonly string[] | null>>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A store or a disk that comes and goes is one story. */
const FLAPPING_MS = 10 * 60_000;
/** A counter that never resets is forgotten at some time, too. */
const YEAR_MS = 366 * DAY_MS;

/** What is said about an event, and how often. */
export function noticeOf(event: AlertEvent, now: number): AlertNotice {
  switch (event.kind) {
    case 'limit_threshold':
      return limitNotice(event, now);
    case 'unpriced_model': {
      const text = `No price is known for ${event.target}: its requests are counted without a cost.`;
      return { ...within(DAY_MS, now), subject: event.target, text, details: { target: event.target } };
    }
    case 'estimated_ratio': {
      const { share, requests } = event;
      const text = `The usage of ${percent(share)} of ${requests} requests in the last hour is an estimate.`;
      return { ...within(HOUR_MS, now), subject: 'usage', text, details: { share, requests } };
    }
    case 'provider_auth': {
      const text = `Provider ${event.provider} refuses its credential.`;
      return { ...within(HOUR_MS, now), subject: event.provider, text, details: { provider: event.provider } };
    }
    default:
      return { ...within(FLAPPING_MS, now), subject: SUBJECTS[event.kind], text: TEXTS[event.kind], details: {} };
  }
}

const SUBJECTS = {
  limit_store_down: 'store',
  limit_store_up: 'store',
  ledger_unwritable: 'ledger',
  ledger_writable: 'ledger',
} as const;
const TEXTS = {
  limit_store_down: 'The store of the limits does not answer: hard limits refuse requests, soft ones are shared out.',
  limit_store_up: 'The store of the limits answers again.',
  ledger_unwritable: 'The ledger cannot be written: new requests are refused.',
  ledger_writable: 'The ledger can be written again.',
} as const;

function limitNotice(event: LimitThreshold, now: number): AlertNotice {
  const { limit, of, partition, share, used, max, resetsAt, place } = event;
  const amount = (value: bigint) => (of === 'cost' ? `$${dollars(value)}` : `${value} ${of}`);
  const whose = partition.length === 0 ? '' : ` (${partition.join(', ')})`;
  const reset = resetsAt === null ? '' : `; resets ${new Date(resetsAt).toISOString()}`;
  return {
    subject: `${limit} ${percent(share)}`,
    window: place,
    until: Math.min(resetsAt ?? Number.POSITIVE_INFINITY, now + YEAR_MS),
    text: `Limit ${limit}${whose} is at ${percent(share)}: ${amount(used)} of ${amount(max)}${reset}.`,
    details: {
      limit,
      of,
      partition,
      share,
      // As text: JSON numbers are not exact enough.
      used: String(used),
      max: String(max),
      resets_at: resetsAt === null ? null : new Date(resetsAt).toISOString(),
    },
  };
}

function within(length: number, now: number): Pick<AlertNotice, 'window' | 'until'> {
  const start = Math.floor(now / length) * length;
  return { window: new Date(start).toISOString(), until: start + length };
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
