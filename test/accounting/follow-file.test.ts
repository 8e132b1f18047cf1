import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { FollowedFile } from '../../src/accounting/follow-file.js';

type Step = 'line' | 'begin' | 'end' | 'rotate' | 'truncate' | 'poll';

const STEPS: readonly Step[] = ['line', 'line', 'begin', 'end', 'rotate', 'truncate', 'poll', 'poll', 'poll'];

/** What a log goes through, and which whole lines were there to be read. */
async function follow(steps: readonly Step[]): Promise<{ readonly told: string[]; readonly written: string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'follow-'));
  const path = join(directory, 'access.jsonl');
  const told: string[] = [];
  const written: string[] = [];
  const file = new FollowedFile({ path, since: 0, onLine: (line) => told.push(line.toString()) });
  let begun = '';
  let rotations = 0;
  const write = (text: string, whole: boolean): void => {
    appendFileSync(path, `${text}${whole ? '\n' : ''}`);
    begun += text;
    if (!whole) return;
    written.push(begun);
    begun = '';
  };
  for (const [at, step] of steps.entries()) {
    if (step === 'line' || step === 'end') write(`${step} ${at}`, true);
    else if (step === 'begin') write(`begin ${at} `, false);
    // All that is there is read first: what is cut off unread is lost, and a begun line goes on in the same file.
    else await file.poll();
    if (step !== 'rotate' && step !== 'truncate') continue;
    if (written.length === 0 || begun !== '') continue;
    if (step === 'truncate') {
      truncateSync(path);
      await file.poll();
    } else {
      rotations += 1;
      renameSync(path, `${path}.${rotations}`);
    }
    write(`after ${step} ${at}`, true);
  }
  await file.poll();
  await file.poll();
  await file.close();
  rmSync(directory, { recursive: true });
  return { told, written };
}

t.test('property: every line is told once, in order, however the log is cut and turned', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { maxLength: 30 }), async (steps) => {
      const { told, written } = await follow(steps);
      if (told.join('|') !== written.join('|')) throw new Error(`${told.join('|')} of ${written.join('|')}`);
    }),
    { numRuns: 150 },
  );
});

t.test('a log that is not there yet, and one that stays as it is', async (t) => {
  const directory = t.testdir({});
  const path = join(directory, 'access.jsonl');
  const told: string[] = [];
  const file = new FollowedFile({ path, since: 0, onLine: (line) => told.push(line.toString()) });
  t.teardown(() => file.close());
  await file.poll();
  appendFileSync(path, 'one\n');
  await file.poll();
  await file.poll();
  t.same(told, ['one']);
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, 'still to the old one\n');
  await file.poll();
  appendFileSync(path, 'to the new one\n');
  appendFileSync(`${path}.1`, 'late\n');
  await file.poll();
  t.same(told, ['one', 'still to the old one', 'late', 'to the new one'], 'in the order of the files');
});
