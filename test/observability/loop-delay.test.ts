import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { watchLoopDelay } from '../../src/observability/loop-delay.js';

t.test('what holds up the loop is seen, once', async (t) => {
  const delay = watchLoopDelay();
  t.teardown(() => delay.stop());
  t.same(
    delay.read().map(([quantile]) => quantile),
    ['0.5', '0.99', '1'],
  );
  const longest = async (stall: number): Promise<number> => {
    delay.read();
    // The first look begins the clock.
    await looks();
    const until = performance.now() + stall;
    while (performance.now() < until);
    await looks();
    return Number(delay.read().at(-1)?.[1]);
  };
  t.ok((await longest(300)) > 0.15, 'a stall of 300 ms, of which a look misses less than 100');
  const after = delay.read();
  t.same(
    after.map(([, seconds]) => seconds),
    [0, 0, 0],
    'is told once',
  );
});

async function looks(): Promise<void> {
  const until = performance.now() + 250;
  while (performance.now() < until) await turn();
}
