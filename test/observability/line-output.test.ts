import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LineOutput } from '../../src/observability/line-output.js';

const MODULE = new URL('../../src/observability/line-output.js', import.meta.url).href;

/** A process that runs `body` with `output`, a LineOutput on its standard output. */
function child(body: string) {
  const script = `import { LineOutput } from ${JSON.stringify(MODULE)}; const output = new LineOutput(1); ${body}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

t.test('lines arrive whole and in order', async (t) => {
  const path = join(t.testdir(), 'log');
  const descriptor = openSync(path, 'w');
  const output = new LineOutput(descriptor);
  const lines = Array.from({ length: 1000 }, (_, at) => `line ${at} é\n`);
  for (const line of lines) output.write(line);
  while (readFileSync(path, 'utf8') !== lines.join('')) await new Promise(setImmediate);
  output.write('last\n');
  await new Promise(setImmediate);
  output.flush();
  while (!readFileSync(path, 'utf8').endsWith('last\n')) await new Promise(setImmediate);
  closeSync(descriptor);
  t.pass();
});

t.test('what is urgent takes with it what is collected', async (t) => {
  const path = join(t.testdir(), 'log');
  const descriptor = openSync(path, 'w');
  const output = new LineOutput(descriptor);
  const holds = async (text: string) => {
    while (readFileSync(path, 'utf8') !== text) await new Promise(setImmediate);
  };
  output.write('first\n');
  await holds('first\n');
  // The timer that ends the collecting never comes.
  const never = t.intercept(globalThis, 'setTimeout', { value: () => ({ unref() {} }) });
  output.write('collected\n');
  output.write('urgent\n');
  output.hasten();
  await holds('first\ncollected\nurgent\n');
  never.restore();
  closeSync(descriptor);
  t.pass();
});

t.test('a slow pipe loses nothing', async (t) => {
  const running = child(`for (let at = 0; at < 20000; at += 1) output.write('x'.repeat(99) + '\\n');`);
  let bytes = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(running, 'close');
  t.equal(bytes, 2_000_000);
});

t.test('a reader that has gone holds nobody up', { timeout: 20_000 }, async (t) => {
  const running = child(
    `process.stdin.once('end', () => { output.write('a\\n'); output.flush(); output.write('b\\n');
      setImmediate(() => { output.flush(); process.exit(7); }); }).resume();`,
  );
  running.stdout.destroy();
  await once(running.stdout, 'close');
  running.stdin.end();
  const [code] = await once(running, 'exit');
  t.equal(code, 7);
});
