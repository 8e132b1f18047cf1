import fc from 'fast-check';
import t from 'tap';
import { JsonScan, type JsonScanOptions, scanJson, scanJsonInSlices, WatchedKeys } from '../../src/codec/json-scan.js';

const OPTIONS: JsonScanOptions = {
  watch: new WatchedKeys(['model', 'stream', 'stream_options', 'stream_options.include_usage', 'a', 'b']),
  maxDepth: 64,
  maxKeys: 10_000,
};

function scan(text: string | Buffer) {
  return scanJson(Buffer.from(text as string), OPTIONS);
}

function nested(depth: number): string {
  return `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
}

t.test('short bodies anywhere in memory', async (t) => {
  for (const text of ['', '{', '{}', '{"', '{"a":1}']) {
    for (let offset = 0; offset < 8; offset += 1) {
      const bytes = Buffer.from(new Uint8Array(32).buffer, offset, text.length);
      bytes.write(text);
      const want = text.endsWith('}') ? null : 'invalid_json';
      t.equal(scanJson(bytes, OPTIONS).fault?.code ?? null, want, `${text} at ${offset}`);
    }
  }
});

t.test('bodies that are refused', async (t) => {
  const cases: readonly [name: string, body: string | Buffer, code: string][] = [
    ['nothing', '', 'invalid_json'],
    ['white space', ' \n', 'invalid_json'],
    ['truncated', '{"model":"m"', 'invalid_json'],
    ['truncated string', '{"model":"m', 'invalid_json'],
    ['truncated escape', '{"model":"m\\', 'invalid_json'],
    ['truncated unicode escape', '{"model":"m\\u00', 'invalid_json'],
    ['trailing text', '{"model":"m"} x', 'invalid_json'],
    ['two objects', '{}{}', 'invalid_json'],
    ['NaN', '{"a":NaN}', 'invalid_json'],
    ['Infinity', '{"a":-Infinity}', 'invalid_json'],
    ['byte order mark', '\ufeff{"model":"m"}', 'invalid_json'],
    ['UTF-16', Buffer.from('{"model":"m"}', 'utf16le'), 'invalid_json'],
    ['invalid UTF-8', Buffer.from('{"model":"\xff"}', 'latin1'), 'invalid_json'],
    ['control character', '{"a":"x\ny"}', 'invalid_json'],
    ['control character far in', `{"a":"${'x'.repeat(1001)}\t"}`, 'invalid_json'],
    ['bad escape', '{"a":"\\x"}', 'invalid_json'],
    ['bad unicode escape', '{"a":"\\u00g0"}', 'invalid_json'],
    ['leading zero', '{"a":01}', 'invalid_json'],
    ['bare minus', '{"a":-}', 'invalid_json'],
    ['no fraction', '{"a":1.}', 'invalid_json'],
    ['no exponent', '{"a":1e}', 'invalid_json'],
    ['endless number', `{"a":${'1'.repeat(5000)}}`, 'invalid_json'],
    ['plus sign', '{"a":+1}', 'invalid_json'],
    ['trailing comma', '{"a":1,}', 'invalid_json'],
    ['trailing comma in list', '{"a":[1,]}', 'invalid_json'],
    ['missing colon', '{"a" 1}', 'invalid_json'],
    ['single quotes', "{'a':1}", 'invalid_json'],
    ['comment', '{/**/"a":1}', 'invalid_json'],
    ['wrong bracket', '{"a":[1}', 'invalid_json'],
    ['list at the top', '[]', 'invalid_json'],
    ['string at the top', '"x"', 'invalid_json'],
    ['misspelt word', '{"a":trup}', 'invalid_json'],
    ['repeated model', '{"model":"x","a":1,"model":"y"}', 'duplicate_key'],
    ['repeated unknown key', '{"zz":1,"zz":2}', 'duplicate_key'],
    ['repeated by escape', '{"model":"x","\\u006dodel":"y"}', 'duplicate_key'],
    ['repeated by case', '{"model":"x","Model":"y"}', 'duplicate_key'],
    ['case first', '{"MODEL":"x","model":"y"}', 'duplicate_key'],
    ['case folding as in Go', '{"stream":true,"\u017ftream":false}', 'duplicate_key'],
    ['nested', '{"stream_options":{"include_usage":true,"include_usage":false}}', 'duplicate_key'],
    ['nested by case', '{"stream_options":{"include_usage":true,"Include_usage":false}}', 'duplicate_key'],
    ['deep inside', '{"messages":[{"x":{"y":1,"y":2}}]}', 'duplicate_key'],
    ['deep inside by escape', '{"messages":[{"x":{"y":1,"\\u0079":2}}]}', 'duplicate_key'],
    ['depth 65', nested(65), 'json_too_deep'],
    ['depth 1,000,000', '{"a":'.repeat(1_000_000), 'json_too_deep'],
    ['10,001 keys', `{"a":[${'{"x":1},'.repeat(10_000)}1]}`, 'too_many_keys'],
  ];
  for (const [name, body, code] of cases) t.equal(scan(body).fault?.code, code, name);
});

t.test('many keys in one object', async (t) => {
  const keys = Array.from({ length: 5000 }, (_, index) => `"k${index}":${index}`);
  t.equal(scan(`{${keys.join(',')}}`).fault, null);
  t.equal(scan(`{${keys.join(',')},"k4999":1}`).fault?.code, 'duplicate_key');
  t.equal(scan(`{${keys.join(',')},"\\u006b70":1}`).fault?.code, 'duplicate_key');
});

t.test('what is accepted and where it lies', async (t) => {
  t.equal(scan(nested(64)).fault, null, 'depth 64');
  const body = Buffer.from(
    ' {"é":[1,-0,1.0,1e400,12345678901234567890], "model" : "a\\"b" ,"stream":true,"stream_options":{ "x":{"include_usage":9},"include_usage":false}, "a":{ }, "b":[[]],"messages":[{"model":"no","stream":1}]} ',
  );
  const result = scanJson(body, OPTIONS);
  t.equal(result.fault, null);
  const shown = [...result.members].map(([name, m]) => [name, m.kind, body.toString('utf8', m.start, m.end), m.empty]);
  t.strictSame(shown, [
    ['model', 'string', '"a\\"b"', false],
    ['stream', 'true', 'true', false],
    ['stream_options.include_usage', 'false', 'false', false],
    ['stream_options', 'object', '{ "x":{"include_usage":9},"include_usage":false}', false],
    ['a', 'object', '{ }', true],
    ['b', 'array', '[[]]', false],
  ]);
  t.equal(result.root, 1);
  t.strictSame([...scan('{"Model":"x"}').variants], [['model', 'Model']]);
});

t.test('property: agrees with JSON.parse', async () => {
  const text = fc.oneof(
    fc.json({ maxDepth: 5 }).map((json) => `{"a":${json},"model":"m"}`),
    fc.tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.string({ maxLength: 2 })).map(([json, at, noise]) => {
      const whole = `{"a":${json},"model":"m"}`;
      const cut = at % whole.length;
      return whole.slice(0, cut) + noise + whole.slice(cut + (at % 3));
    }),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), fc.nat(3), (json, slice, shift) => {
      const room = Buffer.alloc(Buffer.byteLength(json) + shift);
      const body = room.subarray(shift);
      body.write(json);
      const stepped = new JsonScan(body, OPTIONS);
      while (!stepped.step(slice)) {}
      const result = scanJson(body, OPTIONS);
      const same = JSON.stringify([...result.members]) === JSON.stringify([...stepped.result().members]);
      if (!same || result.fault?.code !== stepped.result().fault?.code) throw new Error('slices differ');
      let parsed: Record<string, unknown> | null = null;
      try {
        parsed = JSON.parse(body.toString()) as Record<string, unknown>;
      } catch {}
      const object = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
      if (result.fault === null && !object) throw new Error('accepted what JSON.parse refuses');
      if (result.fault?.code === 'invalid_json' && object) throw new Error('refused what JSON.parse accepts');
      if (result.fault !== null || parsed === null) return;
      for (const name of ['model', 'a', 'b']) {
        const member = result.members.get(name);
        const value = member === undefined ? undefined : JSON.parse(body.toString('utf8', member.start, member.end));
        if (JSON.stringify(value) !== JSON.stringify(parsed[name])) throw new Error(`other value for ${name}`);
      }
    }),
    { numRuns: 3000 },
  );
});

t.test('a large body gives the event loop back', async (t) => {
  const body = Buffer.from(`{"messages":"${'x'.repeat(20_000_000)}","model":"m"}`);
  let turns = 0;
  let running = true;
  const count = () => {
    turns += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  const result = await scanJsonInSlices(body, OPTIONS);
  running = false;
  t.equal(result.fault, null);
  t.equal(result.members.get('model')?.kind, 'string');
  t.ok(turns > 20, `${turns} turns`);
});
