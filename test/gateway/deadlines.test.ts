import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { Deadlines } from '../../src/gateway/deadlines.js';
import { Stalls, type Watched } from '../../src/gateway/stalls.js';

t.test('chunks that stay undecided are released once', async (t) => {
  let now = 0;
  const deadlines = new Deadlines(20, () => now);
  const released: string[] = [];
  const waiting = { pendingChunks: 1 };
  const decided = { pendingChunks: 0 };
  const gone = { pendingChunks: 1 };
  const done = new Promise<void>((resolve) => {
    deadlines.add(waiting, () => {
      released.push('waiting');
      resolve();
    });
  });
  deadlines.add(decided, () => released.push('decided'));
  deadlines.add(gone, () => released.push('gone'));
  deadlines.remove(gone);
  now = 19;
  await wait(25);
  t.same(released, [], 'not before its time');
  deadlines.add(waiting, () => released.push('a second deadline'));
  now = 20;
  // The timer keeps no process alive.
  const alive = setInterval(() => undefined, 1000);
  await done;
  clearInterval(alive);
  t.same(released, ['waiting']);
  deadlines.close();
});

class Stream implements Watched {
  stallPlace = -1;
  lastByteAt = 0;
  readonly stallMs = 100;
  readonly #cut: () => void;

  constructor(cut: () => void) {
    this.#cut = cut;
  }

  cutOff(): void {
    this.#cut();
  }
}

t.test('silent streams are cut once', async (t) => {
  let now = 0;
  const stalls = new Stalls(() => now);
  const cut: string[] = [];
  const done = new Promise<void>((resolve) => {
    const last = new Stream(() => {
      cut.push('last');
      resolve();
    });
    const speaking = new Stream(() => cut.push('speaking'));
    const gone = new Stream(() => cut.push('gone'));
    const taken = new Stream(() => cut.push('taken'));
    const silent = new Stream(() => {
      cut.push('silent');
      stalls.remove(taken);
      now = 120;
    });
    for (const stream of [gone, silent, silent, speaking, taken, last]) stalls.add(stream);
    stalls.remove(gone);
    stalls.remove(gone);
    // It has taken the place of the one that is gone.
    last.lastByteAt = 1;
    speaking.lastByteAt = 90;
    now = 100;
  });
  const alive = setInterval(() => undefined, 1000);
  await done;
  clearInterval(alive);
  t.same(cut, ['silent', 'last'], 'each once, and not those that went or spoke');
});

t.test('property: whoever is watched and silent is cut, in whatever order streams come and go', async () => {
  const alive = setInterval(() => undefined, 1000);
  const step = fc.record({ stream: fc.nat(7), add: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let now = 0;
      const cut: number[] = [];
      const watched = new Set<number>();
      const stalls = new Stalls(() => now);
      const ended = Promise.withResolvers<void>();
      const end = (number: number) => {
        cut.push(number);
        if (cut.length === watched.size) ended.resolve();
      };
      const streams = Array.from({ length: 8 }, (_, number) => new Stream(() => end(number)));
      for (const { stream: number, add } of steps) {
        const stream = streams[number];
        if (stream === undefined) continue;
        if (add) stalls.add(stream);
        else stalls.remove(stream);
        if (add) watched.add(number);
        else watched.delete(number);
      }
      now = 100;
      // Those of one sweep are cut in one turn, so none too many comes later.
      if (watched.size > 0) await ended.promise;
      return cut.length === watched.size && cut.every((number) => watched.has(number));
    }),
    { numRuns: 10 },
  );
  clearInterval(alive);
});
