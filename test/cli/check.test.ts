import { join } from 'node:path';
import t from 'tap';
import { directoryWith, runCommand } from './run-command.js';

const GOOD = 'providers: { mock: { kind: mock } }\n';
const BAD = 'providers: { mock: { kind: mok } }\nguardrails: []\n';

function check(directory: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCommand({ module: 'check', make: 'checkCommand', words, directory, env });
}

t.test('a good file, found by its usual name', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': GOOD });
  const { code, stdout } = await check(directory, []);
  t.equal(code, 0);
  t.match(stdout, /tollgate\.yaml: no mistakes/);
});

t.test('all mistakes at once', async (t) => {
  const directory = directoryWith(t, { 'bad.yaml': BAD });
  const file = join(directory, 'bad.yaml');
  for (const [words, env] of [
    [['--config', 'bad.yaml'], {}],
    [[], { TOLLGATE_CONFIG: file }],
  ] as const) {
    const { code, stdout, stderr } = await check(directory, words, env);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.same(stderr.trim().split('\n'), [
      `${file}:1:28: providers.mock.kind: unknown provider kind "mok"; did you mean "mock"?`,
      `${file}:2:1: guardrails: not yet supported`,
      '2 mistakes',
    ]);
  }
});

t.test('no file: the built-in configuration; a missing one: an error', async (t) => {
  const directory = directoryWith(t, {});
  t.match(await check(directory, []), { code: 0, stdout: /built-in configuration: no mistakes/ });
  t.match(await check(directory, ['--config', 'none.yaml']), {
    code: 1,
    stderr: /none\.yaml:1:1: cannot read the file \(ENOENT\)/,
  });
});

t.test('an expired key is a warning', async (t) => {
  const config = `${GOOD}keys: [{ id: old, secret: a-secret-of-16-chars, expires: 2020-01-01 }]\n`;
  const result = await check(directoryWith(t, { 'tollgate.yaml': config }), []);
  t.match(result, { code: 0, stderr: /warning: .*:2:58: keys\[0\]\.expires: key "old" has expired/ });
});

t.test('an envoy.yaml that lacks what is needed, and one that is not there', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': GOOD, 'envoy.yaml': 'static_resources: {}\n' });
  const result = await check(directory, ['--envoy', 'envoy.yaml']);
  t.equal(result.code, 1);
  t.match(result.stderr, /^envoy\.yaml: /m);
  t.match(await check(directory, ['--envoy', 'none.yaml']), { code: 1, stderr: /none\.yaml: cannot read the file/ });
});
