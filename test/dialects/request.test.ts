import fc from 'fast-check';
import t from 'tap';
import type { Endpoint } from '../../src/dialects/endpoint.js';
import { matchEndpoint } from '../../src/dialects/endpoints.js';
import { GatewayError } from '../../src/dialects/error.js';
import { scanRequest, scanRequestInSlices } from '../../src/dialects/request.js';
import type { RequestFacts } from '../../src/dialects/request-facts.js';
import { splicePieces, spliceRequest } from '../../src/dialects/splice.js';
import { NO_RECORDINGS, openaiRecordings } from './recordings.js';

const CHAT = endpoint('/v1/chat/completions');
const AUDIO = endpoint('/v1/audio/transcriptions');
const JSON_TYPE = 'application/json';

function endpoint(path: string): Endpoint {
  const found = matchEndpoint('POST', path);
  if (found === null) throw new Error(path);
  return found;
}

function facts(text: string | Buffer, on = CHAT, type = JSON_TYPE): RequestFacts {
  const result = scanRequest(on, Buffer.from(text as string), type);
  if (result instanceof GatewayError) throw result;
  return result;
}

function code(text: string | Buffer, on = CHAT, type = JSON_TYPE): string {
  const result = scanRequest(on, Buffer.from(text as string), type);
  return result instanceof GatewayError ? `${result.status} ${result.code} ${result.param ?? ''}`.trim() : 'accepted';
}

t.test('refusals', async (t) => {
  t.equal(code('{"model":"a","stream":"true"}'), '400 unsupported_parameter stream');
  t.equal(code('{"model":"a","stream":1}'), '400 unsupported_parameter stream');
  t.equal(code('{"model":"a","stream":true,"stream":true}'), '400 duplicate_key stream');
  t.equal(code('{"model":"a","Stream":true}'), '400 duplicate_key stream');
  t.equal(code('{"model":"a","stream_options":"x"}'), '400 unsupported_parameter stream_options');
  t.equal(
    code('{"model":"a","stream_options":{"include_usage":"yes"}}'),
    '400 unsupported_parameter stream_options.include_usage',
  );
  for (const value of ['"5"', '1.5', '-3', 'true', '1e400', '[]']) {
    t.equal(code(`{"model":"a","max_tokens":${value}}`), '400 unsupported_parameter max_tokens', value);
  }
  for (const value of ['0', '-1', '1.5', '129', '"2"']) {
    t.equal(code(`{"model":"a","n":${value}}`), '400 unsupported_parameter n', value);
  }
  t.equal(code('{"model":"a","n":128,"max_tokens":1000000000}'), 'accepted');
  t.equal(code('{"model":"a","best_of":129}'), '400 unsupported_parameter best_of');
  for (const value of [
    '{}',
    '{"Model":"a"}',
    '{"model":""}',
    '{"model":null}',
    '{"model":["a"]}',
    '{"model":"a\\nb"}',
    `{"model":"${'a'.repeat(513)}"}`,
    '{"x":{"model":"a"}}',
  ]) {
    t.equal(code(value), '400 missing_model model', value.slice(0, 40));
  }
  t.equal(code('{"model":"a","Model":"b"}'), '400 duplicate_key Model');
  t.equal(code('{'), '400 invalid_json');
  t.equal(code('{"model":"a"}', CHAT, 'text/plain'), '415 unsupported_media_type');
  t.equal(code('{"model":"a"}', AUDIO), '415 unsupported_media_type');
  t.equal(code('{"model":"a"}', CHAT, ''), 'accepted');
  t.equal(code('{"model":"a"}', CHAT, 'application/json; charset=utf-8'), 'accepted');
});

t.test('facts', async (t) => {
  const body =
    '{"messages":[{"role":"user","content":"\\"model\\":\\"no\\""}],"\\u006dodel":"a/\\u00e9","stream":true,"stream_options":{"include_usage":true},"max_tokens":5,"max_completion_tokens":1e3,"max_output_tokens":2,"n":3,"user":"u","tools":[{}],"metadata":{"a":"b","c":1,"__proto__":"p"}}';
  const found = facts(body);
  t.match(found, {
    model: 'a/é',
    stream: true,
    includeUsage: true,
    user: 'u',
    maxOutputTokens: 5,
    choices: 3,
    tools: true,
  });
  t.strictSame(JSON.stringify(found.metadata), '{"a":"b","__proto__":"p"}');
  t.equal(Object.getPrototypeOf({}), Object.prototype);
  t.equal(found.inputTokensUpper, Buffer.byteLength(body));
  t.match(facts('{"model":"a","safety_identifier":"s","user":5,"tools":[ ],"max_tokens":-1,"stream":null,"n":null}'), {
    user: 's',
    tools: false,
    maxOutputTokens: null,
    stream: false,
    choices: 1,
    includeUsage: false,
    metadata: null,
  });
});

t.test('splices', async (t) => {
  const splice = (text: string, model: string | null, includeUsage: boolean) =>
    spliceRequest(Buffer.from(text), facts(text), { model, includeUsage }).toString();
  t.equal(
    splice('{"a":1.0,"model":"x" ,"b":12345678901234567890}', 'p"q', false),
    '{"a":1.0,"model":"p\\"q" ,"b":12345678901234567890}',
  );
  t.equal(
    splice(' { "model":"x","stream":true}', null, true),
    ' {"stream_options":{"include_usage":true}, "model":"x","stream":true}',
  );
  t.equal(
    splice('{"model":"x","stream":true,"stream_options":null}', 'y', true),
    '{"model":"y","stream":true,"stream_options":{"include_usage":true}}',
  );
  t.equal(
    splice('{"stream_options":{ },"model":"x","stream":true}', 'y', true),
    '{"stream_options":{"include_usage":true },"model":"y","stream":true}',
  );
  t.equal(
    splice('{"stream_options":{"z":1},"model":"x","stream":true}', null, true),
    '{"stream_options":{"include_usage":true,"z":1},"model":"x","stream":true}',
  );
  t.equal(
    splice('{"model":"x","stream":true,"stream_options":{"z":1,"include_usage":false}}', null, true),
    '{"model":"x","stream":true,"stream_options":{"z":1,"include_usage":true}}',
  );
  const asked = Buffer.from('{"model":"x","stream":true,"stream_options":{"include_usage":true}}');
  t.equal(
    spliceRequest(asked, facts(asked), { model: 'x', includeUsage: true }),
    asked,
    'nothing to do: the same buffer',
  );
  t.equal(splice('{"model":"x"}', null, true), '{"model":"x"}', 'no stream');
  const pieces = splicePieces(asked, facts(asked), { model: 'y', includeUsage: false });
  t.equal(Buffer.concat(pieces).toString(), asked.toString().replace('"x"', '"y"'));
  const places = pieces.map(({ buffer, byteOffset }) => buffer === asked.buffer && byteOffset - asked.byteOffset);
  t.same([places[0], places[2]], [0, asked.indexOf('"x"') + 3], "the client's bytes are not copied");
  const same = splicePieces(asked, facts(asked), { model: 'x', includeUsage: true });
  t.ok(same.length === 1 && same[0] === asked);
  const embeddings = endpoint('/v1/embeddings');
  const other = Buffer.from('{"model":"x","stream":true}');
  t.equal(spliceRequest(other, facts(other, embeddings), { model: null, includeUsage: true }), other, 'other endpoint');
});

t.test('an output bound is put in, lowered or left', async (t) => {
  const responses = endpoint('/v1/responses');
  const capped = (text: string, field: 'max_tokens' | 'max_completion_tokens' = 'max_tokens', on = CHAT) =>
    spliceRequest(Buffer.from(text), facts(text, on), {
      model: null,
      includeUsage: false,
      outputCap: { field, tokens: 50 },
    }).toString();
  t.equal(capped('{ "model":"x"}'), '{"max_tokens":50, "model":"x"}');
  t.equal(capped('{"model":"x"}', 'max_completion_tokens'), '{"max_completion_tokens":50,"model":"x"}');
  t.equal(capped('{"model":"x"}', 'max_completion_tokens', responses), '{"max_output_tokens":50,"model":"x"}');
  t.equal(
    capped('{"model":"x"}', 'max_completion_tokens', endpoint('/v1/completions')),
    '{"max_tokens":50,"model":"x"}',
  );
  t.equal(capped('{"model":"x"}', 'max_tokens', endpoint('/v1/embeddings')), '{"model":"x"}');
  t.equal(capped('{"model":"x","max_tokens": 50}'), '{"model":"x","max_tokens": 50}');
  t.equal(capped('{"model":"x","max_tokens":1e9}'), '{"model":"x","max_tokens":50}');
  t.equal(capped('{"model":"x","max_tokens":null}'), '{"model":"x","max_tokens":50}');
  t.equal(capped('{"max_tokens":-1,"model":"x"}'), '{"max_tokens":50,"model":"x"}');
  t.equal(
    capped('{"model":"x","max_tokens":7,"max_completion_tokens":900}', 'max_completion_tokens'),
    '{"model":"x","max_tokens":7,"max_completion_tokens":50}',
    'both are bounded, whichever the provider reads',
  );
  t.equal(
    capped('{"model":"x","max_tokens":7}', 'max_completion_tokens'),
    '{"model":"x","max_tokens":7}',
    'never a second name',
  );
  t.equal(
    capped('{"model":"x","max_tokens":null,"max_completion_tokens":7}'),
    '{"model":"x","max_tokens":null,"max_completion_tokens":7}',
  );
  const all = Buffer.from('{"model":"x","stream":true}');
  t.equal(
    spliceRequest(all, facts(all), {
      model: 'y',
      includeUsage: true,
      outputCap: { field: 'max_tokens', tokens: 5 },
    }).toString(),
    '{"stream_options":{"include_usage":true},"max_tokens":5,"model":"y","stream":true}',
  );
});

t.test('property: a bound is the only thing that changes', async () => {
  const others = fc.dictionary(
    fc.string({ maxLength: 6 }).map((key) => `x${key}`),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 5 },
  );
  const bound = fc.constantFrom(undefined, null, -1, 0, 3, 50, 51, 10 ** 9);
  const field = fc.constantFrom('max_tokens' as const, 'max_completion_tokens' as const);
  fc.assert(
    fc.property(
      others,
      bound,
      bound,
      field,
      fc.constantFrom(undefined, 2),
      (rest, max_tokens, max_completion_tokens, name, indent) => {
        const value = { ...rest, max_tokens, model: 'm', max_completion_tokens };
        const body = Buffer.from(JSON.stringify(value, null, indent));
        const read = facts(body);
        const cap = read.maxOutputTokens ?? 50;
        const splice = { model: null, includeUsage: false, outputCap: { field: name, tokens: cap } };
        const spliced = spliceRequest(body, read, splice);
        const now = facts(spliced);
        if (now.maxOutputTokens !== cap) throw new Error(`not bounded: ${spliced}`);
        if (now.json?.outputCaps.some(({ tokens }) => tokens !== null && tokens > cap)) throw new Error(`${spliced}`);
        // Without the bounds both are the same text.
        const without = (bytes: Buffer) =>
          bytes
            .toString()
            .replaceAll(/\s*"max_(?:completion_)?tokens":\s*[-\w]+,?/g, '')
            .replaceAll(/,(\s*\})/g, '$1');
        if (without(spliced) !== without(body)) throw new Error(`${spliced} from ${body}`);
        // Nothing is done twice.
        if (spliceRequest(spliced, now, splice) !== spliced) throw new Error('not stable');
      },
    ),
    { numRuns: 300 },
  );
});

t.test('property: a splice changes what it should and nothing else', async () => {
  const rest = fc.dictionary(
    fc.string({ maxLength: 6 }).map((key) => `x${key}`),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  );
  const options = fc.constantFrom(
    undefined,
    null,
    {},
    { include_usage: false },
    { include_usage: true },
    { include_usage: null },
    { z: [1], include_usage: false },
  );
  const pretty = fc.constantFrom(undefined, 1, '\t');
  fc.assert(
    fc.property(
      rest,
      options,
      pretty,
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.boolean(),
      (others, stream_options, indent, target, stream) => {
        const asked = stream_options === undefined ? {} : { stream_options };
        const value = { ...others, ...asked, stream, model: 'old', last: 1 };
        const body = Buffer.from(JSON.stringify(value, null, indent));
        const spliced = spliceRequest(body, facts(body), { model: target, includeUsage: true }).toString();
        const expected = { ...value, model: target } as Record<string, unknown>;
        if (stream) expected['stream_options'] = { ...stream_options, include_usage: true };
        // By name alone: sorting whole entries would turn values into strings, and a value may hold a member "toString".
        const sorted = (object: unknown) =>
          JSON.stringify(Object.entries(object as object).sort(([a], [b]) => (a < b ? -1 : 1)));
        const normal = (object: Record<string, unknown>) => ({
          ...object,
          stream_options: sorted(object['stream_options'] ?? {}),
        });
        if (sorted(normal(JSON.parse(spliced) as Record<string, unknown>)) !== sorted(normal(expected)))
          throw new Error(spliced);
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('recorded requests', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of openaiRecordings()) {
    if (recording.request === null || typeof recording.request !== 'object') continue;
    const text = JSON.stringify(recording.request);
    const found = scanRequest(CHAT, Buffer.from(text), JSON_TYPE);
    t.match(found, { model: (recording.request as { model?: string }).model }, recording.id);
  }
});

t.test('slices give the same facts', async (t) => {
  const body = Buffer.from(`{"input":"${'é'.repeat(2_000_000)}","model":"m","stream":true}`);
  t.strictSame(await scanRequestInSlices(CHAT, body, JSON_TYPE), scanRequest(CHAT, body, JSON_TYPE));
  t.match(await scanRequestInSlices(CHAT, body.subarray(1), JSON_TYPE), { code: 'invalid_json' });
});

const FORM = 'multipart/form-data; boundary=xyz';

function form(...parts: readonly string[]): Buffer {
  return Buffer.from(
    `${parts.map((part) => `--xyz\r\nContent-Disposition: form-data; ${part}\r\n`).join('')}--xyz--\r\n`,
    'latin1',
  );
}

const FILE = 'name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n\xff\x00--xy\r\n--xyza\r\n'.replace(
  '--xyza',
  '-xyz',
);

t.test('forms', async (t) => {
  const body = form(FILE, 'name="model"\r\n\r\nwhisper-1', 'name=stream\r\n\r\ntrue');
  const found = facts(body, AUDIO, FORM);
  t.match(found, { model: 'whisper-1', stream: true, format: 'multipart' }, 'the model after the file');
  const spliced = spliceRequest(body, found, { model: 'other/longer', includeUsage: true });
  t.equal(spliced.toString('latin1'), body.toString('latin1').replace('whisper-1', 'other/longer'));
  t.throws(() => spliceRequest(body, found, { model: 'a\r\nb', includeUsage: false }));
  const refused: readonly [name: string, body: Buffer, code: string, type?: string][] = [
    ['no model', form(FILE), '400 missing_model model'],
    ['other case', form('name="Model"\r\n\r\nx'), '400 missing_model model'],
    ['twice', form('name="model"\r\n\r\nx', 'name="model"\r\n\r\ny'), '400 duplicate_key model'],
    ['two spellings', form('name="model"\r\n\r\nx', 'name="MODEL"\r\n\r\ny'), '400 duplicate_key MODEL'],
    ['name*', form("name*=utf-8''model\r\n\r\nx"), '400 invalid_json'],
    ['a file as model', form('name="model"; filename="m"\r\n\r\nx'), '400 invalid_json'],
    ['encoded', form('name="model"\r\nContent-Transfer-Encoding: base64\r\n\r\neA=='), '400 invalid_json'],
    ['no final boundary', form('name="model"\r\n\r\nx').subarray(0, -9), '400 invalid_json'],
    ['other boundary', form('name="model"\r\n\r\nx'), '400 invalid_json', 'multipart/form-data; boundary=abc'],
    ['no boundary', form('name="model"\r\n\r\nx'), '400 invalid_json', 'multipart/form-data'],
    [
      'long boundary',
      form('name="model"\r\n\r\nx'),
      '400 invalid_json',
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
    ],
    [
      'a huge boundary',
      form('name="model"\r\n\r\nx'),
      '400 invalid_json',
      `multipart/form-data; boundary=${'x'.repeat(1_000_000)}`,
    ],
    [
      '10,000 parts',
      form(...Array.from({ length: 10_000 }, (_, index) => `name="a${index}"\r\n\r\nx`)),
      '400 invalid_json',
    ],
    ['an endless header', form(`name="model"${' '.repeat(20_000)}\r\n\r\nx`), '400 invalid_json'],
    ['bad stream', form('name="model"\r\n\r\nx', 'name="stream"\r\n\r\nyes'), '400 unsupported_parameter stream'],
    ['line feeds only', Buffer.from(form('name="model"\r\n\r\nx').toString().replaceAll('\r', '')), '400 invalid_json'],
    ['nothing', Buffer.alloc(0), '400 invalid_json'],
  ];
  for (const [name, bytes, expected, type] of refused) {
    const before = performance.now();
    t.equal(code(bytes, AUDIO, type ?? FORM), expected, name);
    t.ok(performance.now() - before < 50, `${name}: in time`);
  }
});
