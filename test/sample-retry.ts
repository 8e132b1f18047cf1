import type { Retry, RetryOn } from '../src/config/snapshot.js';

/** The documented defaults of `retry.on`. */
export const RETRY_ON: RetryOn = {
  statuses: new Set([408, 429, ...Array.from({ length: 100 }, (_, index) => 500 + index)]),
  connect: true,
  reset: true,
  timeout: true,
  firstToken: true,
  errorEvent: true,
  empty: true,
  auth: true,
  contextLength: true,
  contentFilter: false,
};

/** Clocks as a config would have them; `attempts: null` = max(2, number of targets). */
export const RETRY: Retry = {
  attempts: null,
  on: RETRY_ON,
  responseMs: 600_000,
  firstTokenMs: 30_000,
  stallMs: 120_000,
  totalMs: 0,
};
