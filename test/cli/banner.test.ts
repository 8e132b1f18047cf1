import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { type BannerFacts, banner, wantsColour } from '../../src/cli/banner.js';
import { firstKey } from '../../src/cli/first-key.js';
import { readKeyFormat } from '../../src/policy/keys/key-format.js';
import { temporaryDirectory } from './temporary-directory.js';

const FACTS: BannerFacts = {
  gateway: 'http://127.0.0.1:8080',
  admin: 'http://127.0.0.1:8090',
  config: null,
  key: 'sk-tg-KEY',
  providers: [
    { kind: 'openai', variable: 'OPENAI_API_KEY', found: true },
    { kind: 'groq', variable: 'GROQ_API_KEY', found: false },
    { kind: 'xai', variable: 'XAI_API_KEY', found: false },
  ],
  model: 'mock/echo',
  startedInMs: 1234,
};

t.test('the first screen', async (t) => {
  const text = banner(FACTS, false);
  for (const part of [
    'ready (1.2 s)',
    'http://127.0.0.1:8080/v1\n',
    'http://127.0.0.1:8090/\n',
    'http://127.0.0.1:8090/metrics',
    'base_url="http://127.0.0.1:8080/v1"',
    "baseURL: 'http://127.0.0.1:8080/v1'",
    'curl -N http',
    'tollgate usage',
    'Ctrl-C',
  ]) {
    t.ok(text.includes(part), part);
  }
  t.match(text, /^ {2}mock +built in$/m);
  t.match(text, /^ {2}openai +found +OPENAI_API_KEY$/m);
  t.match(text, /^ {2}not set: GROQ_API_KEY, XAI_API_KEY$/m);
  t.notMatch(text, '\u001b', 'plain in a pipe');
  t.not(banner(FACTS, true), text);
  t.equal(stripVTControlCharacters(banner(FACTS, true)), text, 'colours change nothing else');
  const bodies = [...text.matchAll(/-d '(.*)'/g)].map((match) => JSON.parse(match[1] ?? '') as unknown);
  t.match(bodies, [{ model: 'mock/echo' }, { model: 'mock/echo', stream: true }]);
});

t.test('what is not set is one wrapped line', async (t) => {
  const providers = Array.from({ length: 20 }, (_, at) => ({
    kind: 'k',
    variable: `VARIABLE_${at}_KEY`,
    found: false,
  }));
  const lines = banner({ ...FACTS, providers }, false).split('\n');
  t.ok(lines.filter((line) => line.includes('VARIABLE_')).every((line) => line.length <= 100));
  t.match(lines.join(' ').replace(/ +/g, ' '), providers.map(({ variable }) => variable).join(', '));
});

t.test('with a config file no key is shown', async (t) => {
  const text = banner({ ...FACTS, config: '/etc/tollgate.yaml', key: null, providers: [] }, false);
  t.match(text, 'one of "keys" in /etc/tollgate.yaml');
  t.match(text, '"Authorization: Bearer $TOLLGATE_KEY"');
  t.match(text, 'os.environ["TOLLGATE_KEY"]');
  t.notMatch(text, 'not set');
});

t.test('colours', async (t) => {
  t.ok(wantsColour({ isTTY: true }, {}));
  t.notOk(wantsColour({}, {}));
  t.notOk(wantsColour({ isTTY: true }, { NO_COLOR: '1' }));
  t.ok(wantsColour({ isTTY: true }, { NO_COLOR: '' }), 'empty does not count, says no-color.org');
  t.notOk(wantsColour({ isTTY: true }, { TERM: 'dumb' }));
});

t.test('the first key is made once', async (t) => {
  const data = join(temporaryDirectory(t), 'data');
  const key = firstKey(data);
  t.equal(readKeyFormat(key).kind, 'issued');
  t.equal(firstKey(data), key);
  t.equal(statSync(join(data, 'first-run.key')).mode & 0o777, 0o600);
  t.equal(readFileSync(join(data, 'first-run.key'), 'utf8'), `${key}\n`);
  t.notOk(existsSync(join(data, `first-run.key.${process.pid}.partial`)));
  writeFileSync(join(data, 'first-run.key'), '');
  t.throws(() => firstKey(data), /holds no key/);
});
