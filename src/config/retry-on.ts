import type { RetryOn } from './snapshot.js';

/** The classes that `retry.on` names, beside statuses, and what each is called in the snapshot. */
const CLASSES = {
  connect: 'connect',
  reset: 'reset',
  timeout: 'timeout',
  first_token: 'firstToken',
  error_event: 'errorEvent',
  empty: 'empty',
  auth: 'auth',
  context_length: 'contextLength',
  content_filter: 'contentFilter',
} as const satisfies Record<string, keyof RetryOn>;

type ClassName = keyof typeof CLASSES;

/** Everything that `retry.on` may hold beside single statuses, in the order of the reference. */
export const RETRY_WORDS: readonly string[] = ['5xx', ...Object.keys(CLASSES)];

/** Another target cannot answer what the content itself forbids, so that class is asked for on purpose. */
export const DEFAULT_RETRY_ON: readonly string[] = ['429', ...RETRY_WORDS.filter((word) => word !== 'content_filter')];

/** Reads the reasons as they stand in the file: `429`, `5xx`, `connect`, … Unknown ones must have been refused. */
export function retryOn(reasons: readonly string[]): RetryOn {
  const statuses = reasons.flatMap((reason) => {
    if (reason === '5xx') return Array.from({ length: 100 }, (_, index) => 500 + index);
    return /^\d+$/.test(reason) ? [Number(reason)] : [];
  });
  const has = (name: ClassName) => reasons.includes(name);
  return {
    statuses: new Set(statuses.sort((left, right) => left - right)),
    connect: has('connect'),
    reset: has('reset'),
    timeout: has('timeout'),
    firstToken: has('first_token'),
    errorEvent: has('error_event'),
    empty: has('empty'),
    auth: has('auth'),
    contextLength: has('context_length'),
    contentFilter: has('content_filter'),
  };
}

/** The shortest list that `retryOn` reads back as the same: a whole 500 to 599 is `5xx`. */
export function retryReasons(on: RetryOn): readonly (string | number)[] {
  const inFive = [...on.statuses].filter((status) => status >= 500);
  const isWhole = inFive.length === 100;
  const single = [...on.statuses].filter((status) => !isWhole || status < 500);
  const classes = Object.entries(CLASSES).filter(([, field]) => on[field]);
  return [...single, ...(isWhole ? ['5xx'] : []), ...classes.map(([word]) => word)];
}
