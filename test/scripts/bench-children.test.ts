import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { messageOf, stopChild } from '../../bench/children.js';
import { startOf } from '../../bench/family.js';
import { eventually } from '../eventually.js';

const children = new URL('../../bench/children.js', import.meta.url).href;

/** What a gateway is to a bench: deaf to SIGTERM, with a child in a group of its own. */
const GATEWAY = `
  process.on('SIGTERM', () => undefined);
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { detached: true });
  console.log(child.pid);
  setInterval(() => 0, 1000);
`;

/** Starts it, and ends as the words on its command line say. */
const BENCH = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  import { keep } from '${children}';
  const [directory, end] = process.argv.slice(1);
  const child = spawn(process.execPath, ['-e', ${JSON.stringify(GATEWAY)}], { stdio: ['ignore', 'pipe', 'ignore'] });
  keep({ pid: child.pid, directory });
  const [grandchild] = await once(child.stdout, 'data');
  console.log(child.pid + ' ' + String(grandchild).trim());
  process.on('message', () => undefined);
  if (end === 'exception') throw new Error('on purpose');
  if (end === 'exit') process.exit();
`;

t.test('nothing is left behind a bench, however it ends', async (t) => {
  for (const end of ['exit', 'exception', 'SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    const directory = mkdtempSync(join(tmpdir(), 'tg-kept-'));
    const bench = spawn(process.execPath, ['--input-type=module', '-e', BENCH, directory, end], {
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    const [line] = (await once(createInterface({ input: bench.stdout as NodeJS.ReadableStream }), 'line')) as [string];
    const pids = line.split(' ').map(Number);
    t.equal(pids.length, 2);
    if (end.startsWith('SIG')) bench.kill(end as NodeJS.Signals);
    await eventually(
      `nothing is left after ${end}`,
      () => !existsSync(directory) && pids.every((pid) => startOf(pid) === null),
    );
  }
});

t.test('a child that ends says so to whoever waits for it', async (t) => {
  const started = (program: string) =>
    spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  t.equal(await messageOf(started('process.send(7)'), 'it'), 7);
  await t.rejects(messageOf(started('process.exit(3)'), 'it'), /it ended with code 3/);
  const gone = started('');
  await once(gone, 'exit');
  await t.rejects(messageOf(gone, 'it'), /it ended with code 0/, 'before');
  const silent = started('process.on("message", () => 0)');
  await t.rejects(messageOf(silent, 'it', 50), /it was not ready within 0.05 s/);
  await stopChild(silent);
  t.equal(silent.signalCode, 'SIGTERM');
  await stopChild(silent);
});
