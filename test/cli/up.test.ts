import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { envoyBinary } from '../e2e/harness.js';
import { temporaryDirectory } from './temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const KEY = 'a-key-for-these-tests';
const CONFIG = `gateway: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
envoy: { admin: "127.0.0.1:0" }
providers: { mock: { kind: mock } }
keys: [{ id: web, secret: ${KEY} }]
prices: [{ model: "*", input: 1, output: 2 }]
`;

/** A started command, whose output can be awaited. */
class Started {
  output = '';
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  #waiting: (() => void)[] = [];

  constructor(t: Test, words: readonly string[], directory: string) {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ENVOY_BIN: envoyBinary() };
    this.child = spawn(process.execPath, [MAIN, ...words], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => this.#take(String(chunk)));
    this.exit = once(this.child, 'close').then(([code]) => code as number | null);
    t.teardown(async () => {
      this.child.kill('SIGTERM');
      await this.exit;
    });
  }

  #take(text: string): void {
    this.output += text;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Fails when the command ends before it has said this. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      const more = new Promise<'more'>((resolve) => this.#waiting.push(() => resolve('more')));
      if ((await Promise.race([more, this.exit])) !== 'more' && !pattern.test(this.output)) {
        throw new Error(`ended without ${pattern}: ${this.output}`);
      }
    }
  }
}

function addresses(directory: string): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(join(directory, 'run', 'addresses.json'), 'utf8')) as Record<string, string>;
}

async function ask(directory: string): Promise<number> {
  const answer = await fetch(`http://${addresses(directory)['gateway']}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock/echo', messages: [{ role: 'user', content: 'hi' }] }),
  });
  await answer.text();
  return answer.status;
}

t.test('up: one instance, reloads that fail and work, ports that are taken, a clean end', async (t) => {
  const directory = temporaryDirectory(t, { 'tollgate.yaml': CONFIG });
  const up = new Started(t, ['up'], directory);
  await up.says(/is ready/);
  t.equal(await ask(directory), 200);
  t.notMatch(up.output, KEY, 'a configured key is not printed');
  const { gateway = '', admin = '' } = addresses(directory);

  const second = new Started(t, ['up'], directory);
  t.equal(await second.exit, 1);
  t.match(second.output, `already running from ${join(directory, 'run')} (pid ${up.child.pid})`);

  const other = temporaryDirectory(t, {
    'tollgate.yaml': CONFIG.replace('127.0.0.1:0', gateway).replace('127.0.0.1:0', admin),
  });
  const clash = new Started(t, ['up'], other);
  t.equal(await clash.exit, 1);
  t.match(clash.output, `${gateway} is in use by another program. End that one, or change gateway.listen`);
  t.match(clash.output, `${admin} is in use by another program. End that one, or change admin.listen`);
  t.same(readdirSync(join(other, 'run')), [], 'nothing is left behind');

  const pid = readFileSync(join(directory, 'run', 'service.pid'), 'utf8');
  writeFileSync(join(directory, 'tollgate.yaml'), `${CONFIG}bogus: 1\n`);
  up.child.kill('SIGHUP');
  await up.says(/generation 2 did not start \(exit code 1\); generation 1 goes on/);
  t.match(up.output, 'bogus', 'and the log says why');
  t.equal(readFileSync(join(directory, 'run', 'service.pid'), 'utf8'), pid);
  t.equal(await ask(directory), 200);

  writeFileSync(join(directory, 'tollgate.yaml'), CONFIG);
  up.child.kill('SIGHUP');
  await up.says(/generation 3 of the service took over/);
  await up.says(/generation 1 has finished its streams/);
  t.same(addresses(directory)['admin'], admin, 'the admin stays where it was');
  t.equal(await ask(directory), 200);

  up.child.kill('SIGTERM');
  t.equal(await up.exit, 0);
  t.notOk(readdirSync(join(directory, 'run')).some((name) => /\.pid$|\.sock$|addresses/.test(name)));
});

t.test('run: the command finds the gateway, its exit code is ours, nothing stays', async (t) => {
  const directory = temporaryDirectory(t, { 'tollgate.yaml': CONFIG });
  const script = `const answer = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + process.env.OPENAI_API_KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock/echo', messages: [{ role: 'user', content: 'from the command' }] }),
  });
  console.log(await answer.text(), process.env.ANTHROPIC_BASE_URL);
  process.exit(answer.status === 200 ? 7 : 1);`;
  const words = ['run', '--key', KEY, '--', process.execPath, '--input-type=module', '-e', script];
  const run = new Started(t, words, directory);
  t.equal(await run.exit, 7);
  t.match(run.output, /"content":"from the command".*http:\/\/127\.0\.0\.1:\d+$/m);
  t.notOk(existsSync(join(directory, 'run')), 'the runtime directory was a temporary one');
  t.ok(existsSync(join(directory, 'data', 'ledger')), 'the ledger is the configured one');

  const missing = new Started(t, ['run', '--key', KEY, '--', 'no-such-command-here'], directory);
  t.equal(await missing.exit, 127);
});
