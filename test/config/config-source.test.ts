import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigSource, loadConfigFile } from '../../src/config/config-source.js';
import { IDLE_MOCK, processContext, withMock } from '../../src/config/context.js';
import { formatProblem } from '../../src/config/problem.js';
import { watchConfig } from '../../src/config/watch.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';

const CONTEXT = processContext(withMock(PROVIDER_KINDS, IDLE_MOCK), {});

// Watching keeps no process alive; this test waits for nothing else.
const alive = setInterval(() => undefined, 60_000);
t.teardown(() => clearInterval(alive));

function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tollgate-config-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** Watches and turns every call into an event that can be awaited. */
function watched(t: Test, path: string, secrets: readonly string[] = []): EventEmitter {
  const events = new EventEmitter();
  const watching = watchConfig(path, secrets, () => events.emit('change'));
  t.teardown(() => watching.close());
  return events;
}

async function changed(events: EventEmitter, change: () => void): Promise<void> {
  const seen = once(events, 'change');
  change();
  await seen;
}

t.test('a file written in place, renamed over, removed and made again', async (t) => {
  const path = join(directory(t), 'tollgate.yaml');
  writeFileSync(path, 'a');
  const events = watched(t, path);
  await changed(events, () => writeFileSync(path, 'bb'));
  await changed(events, () => replace(path, 'ccc'));
  await changed(events, () => replace(path, 'dddd'));
  await changed(events, () => rmSync(path));
  await changed(events, () => writeFileSync(path, 'e'));
});

t.test('a ConfigMap: the swap of ..data', async (t) => {
  const root = directory(t);
  const version = (name: string, text: string) => {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'tollgate.yaml'), text);
  };
  const swap = (name: string) => {
    symlinkSync(name, join(root, '..data_tmp'));
    renameSync(join(root, '..data_tmp'), join(root, '..data'));
  };
  version('..one', 'a');
  symlinkSync('..one', join(root, '..data'));
  const path = join(root, 'tollgate.yaml');
  symlinkSync('..data/tollgate.yaml', path);
  const events = watched(t, path);
  version('..two', 'b');
  await changed(events, () => swap('..two'));
  rmSync(join(root, '..one'), { recursive: true });
  version('..three', 'c');
  await changed(events, () => swap('..three'));
});

t.test('a link to a file elsewhere, and a secret that comes later', async (t) => {
  const [links, files] = [directory(t), directory(t)];
  writeFileSync(join(files, 'real.yaml'), 'a');
  symlinkSync(join(files, 'real.yaml'), join(links, 'tollgate.yaml'));
  const secret = join(files, 'secret');
  const events = watched(t, join(links, 'tollgate.yaml'), [secret]);
  await changed(events, () => replace(join(files, 'real.yaml'), 'bb'));
  await changed(events, () => writeFileSync(secret, 'x'));
});

const text = (rest: string) => `providers: { mock: { kind: mock } }\nkeys: [{ id: a, secret: file:key }]\n${rest}`;

function source(t: Test) {
  const path = join(directory(t), 'tollgate.yaml');
  writeFileSync(join(path, '../key'), 'a-secret-of-16-characters');
  writeFileSync(path, text(''));
  const loaded = loadConfigFile(path, CONTEXT);
  if ('problems' in loaded) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const events = new EventEmitter();
  const config = new ConfigSource(path, loaded, CONTEXT, {
    onChange: (snapshot) => events.emit('change', snapshot),
    onProblems: (problems) => events.emit('problems', problems),
  });
  t.teardown(() => config.close());
  return { path, config, events };
}

t.test('a good change is used, a bad one is reported and the old one kept', async (t) => {
  const { path, config, events } = source(t);
  const first = config.current();
  await changed(events, () => replace(path, text('models: { one: { targets: [mock/echo] } }\n')));
  const second = config.current();
  t.not(second.version, first.version);
  t.ok(second.models.has('one'));
  const problems = once(events, 'problems');
  replace(path, text('nonsense: 1\n'));
  t.match((await problems)[0], [{ line: 3, column: 1, message: /unknown key "nonsense"/ }]);
  t.equal(config.current(), second);
});

t.test('a rotated secret is a change', async (t) => {
  const { path, config, events } = source(t);
  const before = config.current().keys[0]?.sha256;
  await changed(events, () => replace(join(path, '../key'), 'b-secret-of-16-characters'));
  t.not(config.current().keys[0]?.sha256, before);
});

t.test('what needs a restart is said and kept, the rest is used', async (t) => {
  const { path, config } = source(t);
  const first = config.current();
  replace(path, text('gateway: { listen: ":9999", models_only: true }\nrun_time: 1\n'));
  t.match(await config.reload(), [{ message: /unknown key/ }]);
  replace(path, text('gateway: { listen: ":9999", models_only: true }\nledger: { directory: elsewhere }\n'));
  const problems = (await config.reload()).map((problem) => `${problem.path}: ${problem.message}`);
  t.same(problems, [
    'gateway.listen: needs a restart; the old value stays in use',
    'ledger.directory: needs a restart; the old value stays in use',
  ]);
  t.same(config.current().gateway.listen, first.gateway.listen);
  t.equal(config.current().ledger.directory, first.ledger.directory);
  t.equal(config.current().dataDirectory, first.dataDirectory);
  t.equal(config.current().gateway.modelsOnly, true);
  t.ok(Object.isFrozen(config.current().gateway));
});

t.test('no change, no event; a missing file is a problem; closed means quiet', async (t) => {
  const { path, config, events } = source(t);
  events.on('change', () => t.fail('nothing has changed'));
  t.same(await config.reload(), []);
  rmSync(path);
  t.match(await config.reload(), [{ path: '', message: 'cannot read the file (ENOENT)' }]);
  await config.close();
  t.same(await config.reload(), []);
});
