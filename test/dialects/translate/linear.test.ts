import t from 'tap';
import { requestOf, streamOf } from '../../../bench/conversations.js';
import { writingPairs } from '../../../bench/translate.js';
import { translateRequest, translateStream } from '../../../bench/translation-work.js';

// Ten times the work takes ten times the CPU, and up to seventeen where a large heap is cleaned up on the way. Whatever is
// quadratic takes a hundred times.

const MOST = 30;

/** The least CPU of some runs, in milliseconds: what else the machine does only adds to it. */
function least(runs: number, work: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const begun = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

/** Composed pairs walk through the written ones. */
const pairs = writingPairs().filter(({ from, to }) => from === 'openai-chat' || to === 'openai-chat');

t.test('a request of 10 MB costs what ten of 1 MB cost', async (t) => {
  t.equal(pairs.length, 6);
  for (const pair of pairs) {
    for (const kind of ['turns', 'image'] as const) {
      const [small, large] = [requestOf(pair.from, 1_000_000, kind), requestOf(pair.from, 10_000_000, kind)];
      const one = least(6, () => translateRequest(pair, small));
      const ten = least(3, () => translateRequest(pair, large));
      // Below some milliseconds the clock says little.
      const ratio = ten / Math.max(one, 2);
      t.ok(ratio < MOST, `${pair.from} to ${pair.to}, ${kind}: ${one.toFixed(1)} and ${ten.toFixed(1)} ms`);
    }
  }
});

t.test('a stream of 40,000 events costs what ten of 4,000 cost', async (t) => {
  for (const pair of pairs) {
    const [small, large] = [streamOf(pair.to, 4000), streamOf(pair.to, 40_000)];
    const one = least(4, () => translateStream(pair, small));
    const ten = least(2, () => translateStream(pair, large));
    t.ok(ten / Math.max(one, 2) < MOST, `${pair.from} to ${pair.to}: ${one.toFixed(1)} and ${ten.toFixed(1)} ms`);
  }
});
