/**
 * Calls `send` for each of `count` requests when it is due, `perSecond` of them, counted from the beginning: a late timer
 * sends all that are due at once, so that no drift builds up. Timers of Node are exact to a millisecond.
 *
 * @param send gets the time at which the request was due, milliseconds of `performance.now`
 * @returns stops it
 */
export function pace(count: number, perSecond: number, send: (due: number) => void): () => void {
  const begun = performance.now();
  const step = 1000 / perSecond;
  let sent = 0;
  let timer: NodeJS.Timeout | null = null;
  const tick = (): void => {
    const now = performance.now();
    for (; sent < count && begun + sent * step <= now; sent += 1) send(begun + sent * step);
    timer = sent < count ? setTimeout(tick, begun + sent * step - now) : null;
  };
  tick();
  return () => {
    if (timer !== null) clearTimeout(timer);
    sent = count;
  };
}
