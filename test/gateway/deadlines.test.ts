import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { Deadlines } from '../../src/gateway/deadlines.js';
import { Stalls } from '../../src/gateway/stalls.js';

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

t.test('silent streams are cut once', async (t) => {
  let now = 0;
  const stalls = new Stalls(() => now);
  const cut: string[] = [];
  const silent = { lastByteAt: 0, stallMs: 100 };
  const speaking = { lastByteAt: 0, stallMs: 100 };
  const gone = { lastByteAt: 0, stallMs: 100 };
  const done = new Promise<void>((resolve) => {
    stalls.add(silent, () => {
      cut.push('silent');
      resolve();
    });
  });
  stalls.add(speaking, () => cut.push('speaking'));
  stalls.add(gone, () => cut.push('gone'));
  stalls.remove(gone);
  now = 120;
  speaking.lastByteAt = 90;
  const alive = setInterval(() => undefined, 1000);
  await done;
  clearInterval(alive);
  t.same(cut, ['silent']);
  stalls.remove(speaking);
  stalls.remove(silent);
});
