import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import type { Sample } from '../../bench/compare.js';
import type { Contender } from '../../bench/peers/contender.js';
import { askBoth, prove } from '../../bench/peers/prove.js';
import { printTable, printTargets } from '../../bench/peers/report.js';
import { TRAFFIC } from '../../bench/peers/traffic.js';
import { KEY, type System } from '../../bench/systems.js';

// `npm run bench:peers` without the peers: what is installed how, what is proven, what is printed.

const cache = t.testdir();
process.env['XDG_CACHE_HOME'] = cache;
// These read the environment when they are loaded.
const { installPeers } = await import('../../bench/peers/install.js');
const { isInstalled, LITELLM, markOf, NotInstalled, PORTKEY } = await import('../../bench/peers/places.js');

/** A folder of programs that take the place of npm and Python; each writes its arguments to `calls`. */
function programs(directory: string, scripts: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) {
    const file = join(directory, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> ${directory}/calls\n${script}\n`);
    chmodSync(file, 0o755);
  }
  process.env['PATH'] = [directory, '/usr/bin', '/bin'].join(delimiter);
}

const VENV = 'mkdir -p "$3/bin" && printf "#!/bin/sh\\nexit 0\\n" > "$3/bin/python" && chmod +x "$3/bin/python"';

t.test('installation', async (t) => {
  t.capture(console, 'log');
  const directory = (name: string): string => join(cache, 'programs', name);
  process.env['PYTHON'] = 'python-of-test';

  programs(directory('offline'), { npm: 'echo "npm error code ENOTFOUND" >&2; exit 1' });
  await t.rejects(installPeers(), {
    constructor: NotInstalled,
    message: /^Portkey.*ENOTFOUND.*registry cannot be reached/s,
  });
  t.notOk(isInstalled(PORTKEY), 'half an installation is none');

  programs(directory('broken'), { npm: 'echo "npm error code EINTEGRITY"; exit 7' });
  await t.rejects(installPeers(), { message: /EINTEGRITY.*→ exit code 7/s });

  programs(directory('no-python'), { npm: 'exit 0' });
  await t.rejects(installPeers(), { constructor: NotInstalled, message: /^LiteLLM.*Python 3.* must be on PATH/ });
  t.ok(isInstalled(PORTKEY));
  t.notOk(isInstalled(LITELLM));

  programs(directory('well'), { npm: 'exit 0', 'python-of-test': VENV });
  await installPeers();
  t.ok(isInstalled(LITELLM));
  t.ok(existsSync(join(LITELLM.directory, 'requirements.txt')), 'with the pinned versions beside it');
  const calls = (): string[] =>
    readFileSync(join(directory('well'), 'calls'), 'utf8')
      .trim()
      .split('\n');
  t.equal(calls().length, 1, 'Portkey is there already');
  await installPeers();
  t.equal(calls().length, 1, 'and now both');

  writeFileSync(markOf(PORTKEY), 'other versions');
  await installPeers();
  t.match(calls().at(-1), /^npm ci .*--ignore-scripts/, 'other versions are replaced');
});

t.test('what must be proven', async (t) => {
  const event = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
  const whole = JSON.stringify({ choices: [{ message: { content: 'all' } }] });
  const good = { whole, stream: `${event('a')}${event('b')}data: [DONE]\n\n`, refuses: true };
  const start = async (answers: typeof good): Promise<Contender> => {
    const server = createServer((request, response) => {
      const known = request.headers.authorization === `Bearer ${KEY}` || !answers.refuses;
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => {
        response.statusCode = known ? 200 : 401;
        response.end(body.includes('"stream":true') ? answers.stream : answers.whole);
      });
    });
    return { system: system('peer', await listening(t, server)), refusals: [401], quick: true, warmUp: 0 };
  };
  const expected = await askBoth((await start(good)).system);
  t.same(expected, { content: 'all', events: ['a', 'b'] });
  await prove(await start(good), expected);
  const wrong: Readonly<Record<string, Partial<typeof good>>> = {
    'another answer': { whole: whole.replace('all', 'al') },
    'an event less': { stream: `${event('ab')}data: [DONE]\n\n` },
    'no end': { stream: `${event('a')}${event('b')}` },
    'takes every key': { refuses: false },
  };
  for (const [name, difference] of Object.entries(wrong)) {
    const peer = await start({ ...good, ...difference });
    await t.rejects(prove(peer, expected), { message: 'peer does not answer as it should' }, name);
  }
});

t.test('tables', async (t) => {
  const [direct, ours, peer] = [contender('directly'), contender('ours'), contender('peer')];
  const samples = new Map([
    [direct, [sample(0, 1), sample(0, 3)]],
    [ours, [sample(100, 2), sample(100, 4)]],
    [peer, [sample(450, 4), sample(550, 6)]],
  ]);
  const printed = t.capture(console, 'log');
  const lines = (): string[] => printed().map(({ args }) => String(args[0]));
  for (const traffic of TRAFFIC) {
    printTable(traffic, samples, { ours, direct });
    const row = lines().find((line) => line.startsWith('| peer')) ?? '';
    t.match(row, '| peer | 500 µs | 5.00 |', traffic.name);
    if (traffic.rate !== null)
      t.match(row, '| 5.00 | 3.00 ms | 3.00 |', 'added to the direct request of the same round');
  }
  printTargets([{ peer, json: 5, stream: 6 }], samples, samples, ours);
  t.equal(lines().at(-1), '| peer | 5.00 | 5 × (met) | 5.00 | 6 × (missed) |');
});

function contender(name: string): Contender {
  return { system: system(name, 0), refusals: [], quick: true, warmUp: 0 };
}

function system(name: string, port: number): System {
  return { name, port, prefix: '', parts: () => ({}), stop: async () => undefined };
}

/** CPU in microseconds, all times in milliseconds. */
function sample(cpu: number, ms: number): Sample {
  return {
    cpu: { service: cpu },
    firstByte: ms,
    firstByteP99: ms,
    total: ms,
    p99: ms,
    events: null,
    rate: 1,
    generator: { cpu: 0, behindMs: 0 },
  };
}

async function listening(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}
