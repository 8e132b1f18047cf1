import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { IssuedKeys } from '../../src/policy/keys/issued-keys.js';
import type { KeyView } from '../../src/policy/keys/key-desk.js';
import { createPepper } from '../../src/policy/keys/pepper.js';
import { openKeyStore } from '../../src/store/keys/open-key-store.js';
import { directoryWith, type Ended, runCommand } from './run-command.js';

const CONFIG = `providers: { mock: { kind: mock } }
keys: [{ id: web, secret: 0123456789abcdef, labels: { team: search } }]
`;

function runner(directory: string): (...words: readonly string[]) => Promise<Ended> {
  return (...words) => runCommand({ module: 'keys', make: 'keysCommand', words, directory });
}

t.test('without a running gateway the store is changed', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': CONFIG });
  const keys = runner(directory);
  const flags = ['--label', 'team=x', '--label', 'tier=a=b', '--model', 'smart', '--endpoint', '/v1/chat/*'];
  const made = await keys('create', ...flags, '--expires', '720h', '--metadata', 'ticket=T-1', '--json');
  t.equal(made.code, 0, made.stderr);
  const key = JSON.parse(made.stdout) as KeyView & { secret: string };
  t.match(key, {
    labels: { team: 'x', tier: 'a=b' },
    models: ['smart'],
    endpoints: ['/v1/chat/*'],
    metadata: { ticket: 'T-1' },
  });
  const left = Date.parse(key.expires ?? '') - Date.now();
  t.ok(left > 719 * 3_600_000 && left <= 720 * 3_600_000, 'an end counted from now');

  const pepper = createPepper(readFileSync(join(directory, 'data', 'pepper'), 'utf8').trim());
  const store = await openKeyStore({ kind: 'file', directory: join(directory, 'data') });
  t.teardown(() => store.close());
  const ring = new IssuedKeys({ peppers: [pepper], look: () => store.look(), onProblem: (text) => t.fail(text) });
  await store.follow(ring);
  t.equal(ring.find(key.secret, Date.now())?.id, key.id, 'a gateway that starts later has it');

  const [rotated, listed] = await Promise.all([keys('rotate', key.id, '--grace', '2h'), keys('list')]);
  const fresh = /^sk-tg-\S+$/m.exec(rotated.stdout)?.[0] ?? '';
  t.match(rotated.stdout, /shown only now.*old secrets valid until: /s);
  t.match(
    listed.stdout,
    /^ID .*\nweb +config +active +team=search +\* +never\n\w{8} +issued +active +team=x,tier=a=b +smart +20/,
  );
  await store.look();
  t.equal(ring.find(fresh, Date.now())?.id, key.id, 'a process that runs follows');
  const revoked = await keys('revoke', key.id);
  t.match(revoked, { code: 0, stdout: /state: revoked/ });
  await store.look();
  t.equal(ring.find(fresh, Date.now()), null);
  const [shown, again, fixed, nobody] = await Promise.all([
    keys('show', key.id, '--json'),
    keys('rotate', key.id),
    keys('revoke', 'web'),
    keys('show', 'nobody'),
  ]);
  t.match(JSON.parse(shown.stdout), { id: key.id, state: 'revoked', changed_by: 'cli' });
  t.match(again, { code: 1, stderr: /is revoked/ });
  t.match(fixed, { code: 1, stderr: /fixed in the config file/ });
  t.match(nobody, { code: 1, stderr: /No key has this id/ });
  t.notMatch(shown.stdout + listed.stdout + revoked.stdout, /sk-tg-/, 'secrets are shown once');
});

t.test('mistakes', async (t) => {
  const keys = runner(directoryWith(t, { 'tollgate.yaml': CONFIG }));
  const [past, label, pair, id] = await Promise.all([
    keys('create', '--expires', '2020-01-01'),
    keys('create', '--label', 'a b=c'),
    keys('create', '--label', 'team'),
    keys('create', '--id', 'web'),
  ]);
  t.match(past, { code: 1, stderr: /expires: lies in the past/ });
  t.match(label, { code: 1, stderr: /labels\.a b: must be a name/ });
  t.match(pair, { code: 1, stderr: /team: must be name=value/ });
  t.match(id, { code: 1, stderr: /--fixed takes one/ });
});

t.test('the address of a gateway that is gone, or of another program', async (t) => {
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(`${request.method}`);
    response.end('hello');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const directory = directoryWith(t, {
    'tollgate.yaml': `${CONFIG}runtime_directory: .\n`,
    'addresses.json': JSON.stringify({ admin: `127.0.0.1:${port}` }),
  });
  const made = await runner(directory)('create', '--json');
  t.equal(made.code, 0, made.stderr);
  t.same(asked, ['GET'], 'no change is sent to a stranger');
});
