import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { findOpenHolds } from '../../../src/accounting/ledger/open-holds.js';
import { readLedger } from '../../../src/accounting/ledger/read-ledger.js';
import { temporaryDirectory } from '../samples.js';

const CHILD = fileURLToPath(new URL('./writing-child.js', import.meta.url));
/** More rounds for a long proof: TOLLGATE_KILLS=500. */
const ROUNDS = Number(process.env['TOLLGATE_KILLS'] ?? 20);

interface Seen {
  readonly holds: Set<string>;
  readonly finals: Map<string, number>;
}

async function readAll(directory: string): Promise<Seen> {
  const seen: Seen = { holds: new Set(), finals: new Map() };
  await readLedger(
    directory,
    ({ type, id }) => {
      if (type === 'hold') seen.holds.add(id);
      else seen.finals.set(id, (seen.finals.get(id) ?? 0) + 1);
    },
    { repair: false },
  );
  return seen;
}

/** Kills after the child has said something and `ms` have passed: any moment of its writing. */
async function killAfter(child: ChildProcess, ms: number): Promise<void> {
  if (child.stdout) await once(child.stdout, 'readable');
  setTimeout(() => child.kill('SIGKILL'), ms);
}

t.test(`case 57: SIGKILL at ${ROUNDS} moments: every acknowledged hold is in the ledger`, async (t) => {
  const directory = temporaryDirectory(t);
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output] = await Promise.all([text(child.stdout), killAfter(child, Math.random() * 60)]);
    const said = output.split('\n').slice(0, -1);
    for (const line of said) if (line.startsWith('held ')) acknowledged.add(line.slice(5));
    t.notOk(said.some((line) => line.startsWith('problem') || line.startsWith('refused')));
  }
  const seen = await readAll(directory);
  t.same(
    [...acknowledged].filter((id) => !seen.holds.has(id)),
    [],
    `${acknowledged.size} acknowledged`,
  );
  t.ok(acknowledged.size > ROUNDS * 8);
  const open = await findOpenHolds(directory);
  t.equal(open.length, seen.holds.size - seen.finals.size, 'each hold is either open or has a final entry');
});

t.test('a real refusal of the kernel: files may not grow beyond 32 KiB', async (t) => {
  const directory = temporaryDirectory(t);
  const command = `ulimit -f 64; exec "${process.execPath}" "${CHILD}" "${directory}" 400`;
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = (await text(child.stdout)).split('\n');
  t.ok(said.includes('problem write_failed'));
  const held = said.filter((line) => line.startsWith('held ')).map((line) => line.slice(5));
  const refused = said.filter((line) => line.startsWith('refused ')).map((line) => line.slice(8));
  t.equal(held.length + refused.length, 400, 'each is answered');
  t.ok(refused.length > 0);
  const seen = await readAll(directory);
  t.same(new Set(held), seen.holds, 'what was refused is not in it');
  t.same(
    [...seen.finals.keys()].filter((id) => !seen.holds.has(id)),
    [],
  );
});
