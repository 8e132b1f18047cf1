import * as faults from './faults.js';
import type { Expected, Fault, Scenario } from './scenario.js';

const SECOND: Expected['attempts'][number] = [2, null];

/** The first target fails, the second is well. */
function moved(name: string, fault: Fault, reason: string, more: Partial<Scenario> = {}): Scenario {
  const expected: Expected = { client: 'answer', attempts: [[1, reason], SECOND] };
  return { name, targets: [{ fault }, { fault: faults.well }], expected, ...more };
}

/** The first target breaks after the client has content: nobody else is asked. */
function broken(name: string, fault: Fault, expected: Omit<Expected, 'attempts'>, reason: string | null): Scenario {
  const targets = [{ fault }, { fault: faults.well }];
  return { name, targets, expected: { ...expected, attempts: [[1, reason]] } };
}

const STREAM = { forms: ['stream'] } as const;
const LATE = { isLate: true, ...STREAM } as const;
const CUT = { client: 'cut', code: 'provider_error' } as const;

/** Every way to fail that somebody has named, once. */
export const SCENARIOS: readonly Scenario[] = [
  moved('429-retry-after', faults.rateLimitedFor(7), '429'),
  moved('429', faults.rateLimited, '429'),
  {
    name: '429-everywhere',
    targets: [{ fault: faults.rateLimitedFor(9) }, { fault: faults.rateLimitedFor(4) }],
    expected: {
      client: { status: 429, code: 'provider_rate_limited', retryAfter: '4' },
      attempts: [
        [1, '429'],
        [2, '429'],
      ],
    },
  },
  {
    name: '500-once',
    targets: [{ fault: faults.serverErrorOnce }],
    expected: {
      client: 'answer',
      attempts: [
        [1, '500'],
        [1, null],
      ],
    },
  },
  moved('503', faults.unavailable, '503'),
  moved('529', faults.overloaded, '529'),
  moved('reset-before-headers', faults.reset, 'reset'),
  moved('refused', 'refused', 'connect'),
  moved('unknown-name', 'unknown-name', 'connect'),
  moved('wrong-certificate', 'wrong-certificate', 'connect'),
  moved('no-response', faults.silent, 'timeout', { isLate: true }),
  moved('late-first-token', faults.lateFirstToken, 'first_token', LATE),
  moved('silence-after-headers', faults.onlyHeaders, 'first_token', LATE),
  moved('silence-before-body', faults.onlyHeaders, 'timeout', { isLate: true, forms: ['json'] }),
  moved('error-event-first', faults.errorEvent, 'error_event', STREAM),
  moved('error-inside-200', faults.errorInside, 'error_event'),
  moved('empty-stream', faults.emptyStream, 'empty', STREAM),
  moved('only-comments', faults.onlyComments, 'empty', STREAM),
  { ...broken('cut-by-reset', faults.cutByReset, CUT, 'reset'), breaksLater: true },
  { ...broken('cut-by-fin', faults.cutByFin, CUT, 'reset'), breaksLater: true },
  { ...broken('malformed-chunk', faults.garbage, CUT, 'reset'), breaksLater: true },
  { ...broken('stall', faults.stalled, { client: 'cut', code: 'upstream_timeout' }, 'stall'), ...STREAM },
  { ...broken('broken-event', faults.brokenEvent, { client: 'answer' }, null), ...STREAM },
  {
    ...broken('no-end', faults.endless, { client: 'error-event', code: 'provider_error' }, 'incomplete'),
    ...STREAM,
  },
  { ...broken('no-done', faults.withoutDone, { client: 'without-done' }, null), ...STREAM },
  {
    name: 'context-length-larger',
    targets: [
      { fault: faults.tooLong, contextWindow: 8_192 },
      { fault: faults.well, contextWindow: 4_096 },
      { fault: faults.well, contextWindow: 200_000 },
    ],
    expected: {
      client: 'answer',
      attempts: [
        [1, 'context_length'],
        [3, null],
      ],
    },
  },
  {
    name: 'context-length',
    targets: [
      { fault: faults.tooLong, contextWindow: 8_192 },
      { fault: faults.well, contextWindow: 8_192 },
    ],
    expected: {
      client: { status: 400, code: 'provider_error', shownCode: 'context_length_exceeded' },
      attempts: [[1, 'context_length']],
    },
  },
  {
    name: 'content-filter',
    targets: [{ fault: faults.filtered }, { fault: faults.well }],
    expected: {
      client: { status: 400, code: 'provider_error', shownCode: 'content_filter' },
      attempts: [[1, 'content_filter']],
    },
  },
  moved('content-filter-configured', faults.filtered, 'content_filter', { retry: { on: ['5xx', 'content_filter'] } }),
  {
    name: 'picky-second',
    targets: [{ fault: faults.unavailable }, { fault: faults.picky }],
    expected: {
      client: { status: 502, code: 'provider_error', retryAfter: '1' },
      attempts: [
        [1, '503'],
        [2, '400'],
      ],
      // The first target put aside: then the second one is asked first, and its own words stand.
      alsoAtOnce: [400],
    },
  },
  {
    ...broken('cut-and-picky', faults.cutByReset, CUT, 'reset'),
    targets: [{ fault: faults.cutByReset }, { fault: faults.picky }],
    breaksLater: true,
  },
  {
    name: 'all-down',
    targets: [{ fault: faults.unavailable }, { fault: 'refused' }],
    expected: {
      client: { status: 502, code: 'provider_error', retryAfter: '1' },
      attempts: [
        [1, '503'],
        [2, 'connect'],
      ],
      // Envoy has put the first one out for its 503s: nobody was reached.
      alsoAtOnce: [503],
    },
  },
  moved('401', faults.unauthorised, 'auth'),
  {
    name: '401-alone',
    targets: [{ fault: faults.unauthorised }],
    expected: { client: { status: 502, code: 'provider_auth' }, attempts: [[1, 'auth']] },
  },
  {
    name: 'two-of-three',
    targets: [{ fault: faults.rateLimited }, { fault: faults.reset }, { fault: faults.well }],
    expected: {
      client: 'answer',
      attempts: [
        [1, '429'],
        [2, 'reset'],
        [3, null],
      ],
    },
  },
];
