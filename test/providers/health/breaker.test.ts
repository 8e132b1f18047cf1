import fc from 'fast-check';
import t from 'tap';
import { Breaker, type BreakerFailure } from '../../../src/providers/health/breaker.js';
import { LatencyAverage } from '../../../src/providers/health/latency-average.js';
import { OutcomeWindow } from '../../../src/providers/health/outcome-window.js';
import { HEALTH_RULES } from '../../../src/providers/health/rules.js';

const failure = (more: Partial<BreakerFailure> = {}): BreakerFailure => ({
  points: 3,
  statedMs: null,
  tooMany: false,
  startedAt: null,
  ...more,
});

function opened(at = 0): Breaker {
  const breaker = new Breaker(HEALTH_RULES);
  breaker.failed(failure(), at);
  breaker.failed(failure(), at);
  return breaker;
}

t.test('opening', async (t) => {
  const breaker = new Breaker(HEALTH_RULES);
  t.notOk(breaker.failed(failure(), 0));
  breaker.succeeded(1, null);
  t.notOk(breaker.failed(failure(), 2), 'a success ends the run');
  t.ok(breaker.failed(failure(), 3));
  t.equal(breaker.state(3), 'open');
  t.equal(breaker.until, 5_003);
  t.notOk(breaker.failed(failure(), 4_000), 'what fails meanwhile does not make it longer');
  t.equal(breaker.state(5_002), 'open');
  t.equal(breaker.state(5_003), 'half_open');
  const ratio = new Breaker(HEALTH_RULES);
  t.ok(ratio.failed(failure({ points: 0, tooMany: true }), 0));
});

t.test('stated pauses', async (t) => {
  const breaker = new Breaker(HEALTH_RULES);
  t.ok(breaker.failed(failure({ statedMs: 2_000 }), 0), 'the first one opens');
  breaker.failed(failure({ statedMs: 500, startedAt: 0 }), 100);
  t.equal(breaker.until, 2_000, 'a shorter one changes nothing');
  breaker.failed(failure({ statedMs: 9_000, startedAt: 0 }), 200);
  t.equal(breaker.until, 9_200, 'a longer one counts');
  breaker.succeeded(300, 250);
  t.equal(breaker.state(300), 'open', 'asked is asked');
  t.notOk(new Breaker(HEALTH_RULES).failed(failure({ statedMs: 0 }), 0), '0 is no pause');
  const trial = new Breaker(HEALTH_RULES);
  trial.failed(failure({ statedMs: 10 }), 0);
  trial.started(10);
  trial.failed(failure({ statedMs: 10, startedAt: 10 }), 12);
  t.equal(trial.until, 1_012, 'after a failed trial at least a second');
});

t.test('one trial at a time', async (t) => {
  const breaker = opened();
  t.notOk(breaker.mayTry(4_999));
  t.ok(breaker.mayTry(5_000));
  breaker.reserve(5_000);
  t.notOk(breaker.mayTry(5_001));
  t.ok(breaker.mayTry(7_000), 'a reservation that nobody uses lapses');
  breaker.started(7_000);
  t.notOk(breaker.mayTry(21_999));
  t.ok(breaker.mayTry(22_000), 'a trial that never reports is given up');
  breaker.started(22_000);
  breaker.abandoned();
  t.ok(breaker.mayTry(22_001), 'ended without a verdict');
  breaker.started(22_001);
  t.ok(breaker.failed(failure({ points: 0, startedAt: 22_001 }), 22_100), 'any failure of the trial opens it again');
  t.equal(breaker.until, 27_100);
  breaker.started(27_100);
  breaker.succeeded(27_200, 27_100);
  t.equal(breaker.state(27_200), 'closed');
  t.notOk(breaker.failed(failure(), 27_300), 'and the run begins anew');
});

t.test('late reports', async (t) => {
  const breaker = opened(1_000);
  breaker.succeeded(1_100, 500);
  breaker.succeeded(1_100, null);
  t.equal(breaker.state(1_100), 'open', 'an older attempt proves nothing');
  t.notOk(breaker.failed(failure({ startedAt: 500 }), 6_100), 'nor after the pause');
  t.notOk(breaker.failed(failure({ startedAt: 2_000 }), 6_100), 'nor one of the pause');
  t.notOk(breaker.failed(failure(), 6_100), 'nor an unknown one without a trial');
  t.equal(breaker.state(6_100), 'half_open');
  breaker.succeeded(6_200, 500);
  t.equal(breaker.state(6_200), 'half_open');
  breaker.started(6_200);
  breaker.succeeded(6_300, 6_200);
  for (let count = 0; count < 9; count += 1) breaker.failed(failure({ startedAt: 900 }), 6_400 + count);
  t.equal(breaker.state(6_500), 'closed', 'failures from before the recovery');
  const lastResort = opened(1_000);
  lastResort.succeeded(1_300, 1_200);
  t.equal(lastResort.state(1_300), 'closed', 'tried because nothing else was left, and it served');
});

t.test('window and average', async (t) => {
  const window = new OutcomeWindow(4);
  t.equal(window.errorRate(0, 10), null);
  for (const [time, failed] of [
    [1, true],
    [2, true],
    [3, false],
    [4, false],
    [5, false],
  ] as const)
    window.add(failed, time);
  t.same(window.count(5, 10), { all: 4, failed: 1 }, 'the oldest fell out');
  t.same(window.count(5, 3), { all: 3, failed: 0 }, 'younger than 3 ms');
  t.equal(window.errorRate(5, 10), 0.25);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), fc.integer({ min: 1, max: 400 }), (steps, age) => {
      const ring = new OutcomeWindow(20);
      const all: { time: number; failed: boolean }[] = [];
      let now = 0;
      for (const [step, failed] of steps) {
        now += step;
        ring.add(failed, now);
        all.push({ time: now, failed });
      }
      const young = all.slice(-20).filter(({ time }) => now - time < age);
      const counted = ring.count(now, age);
      return counted.all === young.length && counted.failed === young.filter(({ failed }) => failed).length;
    }),
  );
  const average = new LatencyAverage();
  t.equal(average.score(0), null);
  average.succeeded(100, 0);
  average.succeeded(200, 1);
  t.equal(average.firstTokenMs, 130);
  average.failed();
  t.ok(Math.abs((average.score(1) ?? 0) - 130 * 1.6) < 1e-9, 'failures make it worse');
  average.succeeded(null, 2);
  t.ok((average.score(2) ?? 0) < 130 * 1.6);
  t.equal(average.score(61_002), null, 'forgotten after a minute');
  average.succeeded(10, 70_000);
  t.equal(average.firstTokenMs, 10, 'and begun anew');
});
