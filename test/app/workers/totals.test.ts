import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { mergeMetrics } from '../../../src/app/workers/merge-metrics.js';
import { foldTotals, readTotals, SavedTotals } from '../../../src/app/workers/totals.js';

function directoryFor(t: { teardown(end: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'tg-totals-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

const page = (count: number): string => `# TYPE a_total counter\na_total ${count}\n`;

async function sumIn(directory: string, except: readonly number[] = []): Promise<number> {
  const merged = mergeMetrics(await readTotals(directory, new Set(except)));
  return Number(/a_total (\d+)/.exec(merged)?.[1] ?? 0);
}

t.test('what a process has counted outlives it', async (t) => {
  const directory = directoryFor(t);
  let count = 3;
  const problems: unknown[] = [];
  const render = async () => page(count);
  const saved = new SavedTotals({ directory, generation: 7, render, onProblem: (error) => problems.push(error) });
  await saved.save();
  t.equal(await sumIn(directory), 3);
  count = 5;
  await saved.stop();
  t.equal(await sumIn(directory), 5, 'the last word is written at the end');
  t.equal(await sumIn(directory, [7]), 0, 'a process that answers for itself is not counted twice');
  t.same(problems, []);
  await new SavedTotals({
    directory: join(directory, 'missing'),
    generation: 8,
    render,
    onProblem: (error) => problems.push(error),
  }).save();
  t.equal(problems.length, 1, 'a disk that refuses is told, not thrown');
});

t.test('many ended processes are put together, and nothing counts twice', async (t) => {
  const directory = directoryFor(t);
  const write = (generation: number) => writeFileSync(join(directory, `totals-${generation}.prom`), page(1));
  for (let generation = 1; generation <= 20; generation += 1) write(generation);
  await foldTotals(directory, new Set([20]));
  t.same(readdirSync(directory).sort(), ['totals-0.prom', 'totals-20.prom']);
  t.equal(await sumIn(directory), 20);
  t.equal(await sumIn(directory, [20]), 19);

  write(5);
  t.equal(await sumIn(directory), 20, 'a crash before the old files went leaves them uncounted');
  for (let generation = 21; generation <= 40; generation += 1) write(generation);
  await foldTotals(directory, new Set([40]));
  t.equal(await sumIn(directory), 40);
  t.same(readdirSync(directory).sort(), ['totals-0.prom', 'totals-40.prom']);
  const before = readFileSync(join(directory, 'totals-0.prom'), 'utf8');
  await foldTotals(directory, new Set([40]));
  t.equal(readFileSync(join(directory, 'totals-0.prom'), 'utf8'), before, 'few files stay as they are');
});
