import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const FILLER = fileURLToPath(new URL('./young-thread.js', import.meta.url));

/** MiB, between some 6 and 32: a generation that is evacuated has some pages more. */
const BOUND = 16;

t.test('a thread has its own young generation, whatever the command line gave to the service', (t) => {
  const run = (limited: 'limited' | 'not') =>
    spawnSync(process.execPath, ['--max-semi-space-size=16', FILLER, limited], { encoding: 'utf8' });
  const { stdout, stderr } = run('limited');
  t.ok(Number(stdout) > 0 && Number(stdout) < BOUND, `${stdout} MiB`);
  t.equal(stderr, '', 'the flag is known to this V8');
  t.ok(Number(run('not').stdout) > BOUND, 'it would have more');
  t.end();
});
