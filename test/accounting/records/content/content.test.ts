import { appendFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { openContentSpool } from '../../../../src/accounting/records/content/content-spool.js';
import { decodeFrame, encodeFrame } from '../../../../src/accounting/records/content/frame.js';
import { DEAD, final, temporaryDirectory, testLedger } from '../../samples.js';
import { ask, KEEP_ALL, KINDS, testDatabases, testEngine } from '../databases.js';

const TIME = '2026-11-01T10:00:00.000Z';
const bytes = (text: string) => Buffer.from(text);
const frameOf = (id: string) =>
  Buffer.concat(encodeFrame({ id, time: TIME, request: bytes('in'), response: bytes('out') }, 100));

for (const { kind, skip } of KINDS) {
  t.test(`${kind}: prompts and answers, apart from the requests`, { skip }, async (t) => {
    const databases = await testDatabases(t, kind);
    const database = await databases.make();
    const root = temporaryDirectory(t);
    const [directory, contentDirectory] = [join(root, 'ledger'), join(root, 'content')];
    const { ledger } = testLedger(directory);
    t.teardown(() => ledger.close());
    const spool = openContentSpool({ directory: contentDirectory, onProblem: (message) => t.fail(message) });
    const key = `sk-tg-abcdefgh-${'0'.repeat(49)}`;
    const large = Buffer.alloc(3 * 1024 * 1024, 'x');
    t.ok(
      spool.write({
        id: 'a',
        time: TIME,
        request: bytes(`{"my key":"${key}"}\0`),
        response: bytes('Bearer abcdefghij\n…'),
      }),
    );
    for (let number = 0; number < 10; number += 1)
      spool.write({ id: `l${number}`, time: TIME, request: large, response: large });
    await spool.close();
    ledger.finish(final('a'));
    await ledger.synced();
    const files = readdirSync(contentDirectory).flatMap((name) =>
      readdirSync(join(contentDirectory, name)).map((file) => join(contentDirectory, name, file)),
    );
    const spooled = files.filter((file) => file.endsWith('.content'));
    t.ok(spooled.length > 1, 'several files');
    t.ok(spooled.every((file) => (statSync(file).mode & 0o777) === 0o600));
    const engine = testEngine(t, { directory, database, contentDirectory });
    await engine.catchUp({ livingOnly: false });
    t.same(await engine.content('a'), {
      id: 'a',
      time: TIME,
      request: '{"my key":"[secret]"}\u{fffd}',
      response: '[secret]\n…',
      request_bytes: bytes(`{"my key":"${key}"}\0`).length,
      response_bytes: bytes('Bearer abcdefghij\n…').length,
    });
    const cut = await engine.content('l9');
    t.same([cut?.request.length, cut?.request_bytes], [1024 * 1024, large.length]);
    t.equal(await engine.content('absent'), null);
    t.same(readdirSync(contentDirectory), [], 'files that are through are gone');
    t.notMatch(JSON.stringify(await engine.get('a')), /my key/);
    engine.retention = { ...KEEP_ALL, contentMs: 1_000 };
    while (await engine.expire(Date.parse(TIME) + 10_000));
    t.same(await ask(database, 'select count(*) as count from contents'), [{ count: 0n }]);
    t.ok(await engine.get('a'), 'its request stays');
  });
}

t.test('a killed writer, and files that somebody damaged', async (t) => {
  const databases = await testDatabases(t, 'sqlite');
  const root = temporaryDirectory(t);
  const directory = join(root, 'ledger');
  const contentDirectory = join(root, 'content');
  const boot = join(contentDirectory, '20261101T000000000Z-0');
  mkdirSync(boot, { recursive: true });
  writeFileSync(join(boot, 'owner.json'), JSON.stringify(DEAD));
  const damaged = Buffer.concat([frameOf('a'), bytes('garbage\n'), frameOf('b'), frameOf('c').subarray(0, -3)]);
  writeFileSync(join(boot, '00000001.content'), damaged);
  const flipped = Buffer.concat([frameOf('d'), frameOf('e')]);
  flipped[flipped.indexOf('in')] = 0x58;
  writeFileSync(join(boot, '00000002.content'), flipped);
  const engine = testEngine(t, { directory, contentDirectory, database: await databases.make() });
  await engine.catchUp({ livingOnly: false });
  const found = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => engine.content(id)));
  t.same(
    found.map((content) => content?.response ?? null),
    ['out', 'out', null, null, 'out'],
  );
  t.notOk(existsSync(boot));
});

t.test('what waits for the disk is bounded', async (t) => {
  const problems: string[] = [];
  const directory = temporaryDirectory(t);
  const onProblem = (message: string) => problems.push(message);
  const spool = openContentSpool({ directory, onProblem, waitingBytes: 1_000 });
  const content = (id: string) => ({ id, time: TIME, request: Buffer.alloc(400), response: Buffer.alloc(400) });
  t.same([spool.write(content('a')), spool.write(content('b'))], [true, false]);
  t.equal(spool.dropped, 1);
  await spool.close();
  t.notOk(spool.write(content('c')), 'closed');
  const [boot = ''] = readdirSync(directory);
  t.ok(statSync(join(directory, boot, '00000001.content')).size > 800);
  appendFileSync(join(directory, boot, '00000002.content'), '');
  t.same(problems, []);
});

t.test('frames, wherever a file ends', async (t) => {
  const body = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
  const property = fc.property(fc.string(), body, body, fc.nat(30), (id, request, response, most) => {
    const frame = Buffer.concat(encodeFrame({ id, time: TIME, request, response }, most));
    const whole = decodeFrame(Buffer.concat([frame, bytes('more')]));
    if (whole.kind !== 'frame' || whole.length !== frame.length) return false;
    for (let end = 0; end < frame.length; end += 1)
      if (decodeFrame(frame.subarray(0, end)).kind !== 'incomplete') return false;
    const { frame: read } = whole;
    return read.id === id && read.request.equals(request.subarray(0, most)) && read.responseBytes === response.length;
  });
  t.doesNotThrow(() => fc.assert(property));
});
