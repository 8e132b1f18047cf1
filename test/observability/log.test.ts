import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { createLog, describeError, type LogLevel, readLogLevel } from '../../src/observability/log.js';
import { createRedact, oneLine } from '../../src/observability/redact.js';
import type { RequestLine } from '../../src/observability/request-line.js';
import { Secret } from '../../src/observability/secret.js';

const secret = new Secret('upstream+key/with=signs');
const redact = createRedact(() => [secret, new Secret('')]);

function capture(format: 'json' | 'pretty' = 'json', level: LogLevel = 'info') {
  const lines: string[] = [];
  return { lines, log: createLog({ level, format, redact, sink: { write: (line) => void lines.push(line) } }) };
}

const REQUEST: RequestLine = {
  id: 'r1',
  key: 'web',
  endpoint: '/v1/chat/completions',
  status: 200,
  ms: 12.5,
  code: null,
  model: 'smart',
  target: 'openai/gpt-5',
  stream: true,
  attempts: 1,
  cost_nano_usd: 1_500_000,
};

t.test('secrets are masked in free text', async (t) => {
  for (const text of [
    'refused: upstream+key/with=signs!',
    `at https://x/?key=${encodeURIComponent('upstream+key/with=signs')}`,
    `basic: ${Buffer.from('upstream+key/with=signs').toString('base64')}`,
    'Incorrect API key provided: sk-proj-abcdefghijklmnop',
    'sk-tg-abcdefgh-0123456789 is not a model',
    'authorization: Bearer abcdefgh.ijkl',
    'AIzaSyA1234567890abcdefghijklmnop',
  ]) {
    const safe = redact(text);
    t.notMatch(safe, /upstream|with|abcdefgh|Sy[A]|dXBzdHJ/, safe);
    t.match(safe, /\[secret/);
  }
  t.equal(redact('a task-force of risk-takers'), 'a task-force of risk-takers');
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ minLength: 12 }).filter((text) => !'[secret:]'.includes(text)),
      fc.string(),
      (before, plain, after) => {
        const safe = createRedact(() => [new Secret(plain)])(before + plain + after);
        return !safe.includes(plain);
      },
    ),
  );
  const started = performance.now();
  redact('sk-'.repeat(200_000));
  t.ok(performance.now() - started < 1000, 'linear in the text');
});

t.test('one line, bounded', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (text) => {
      const line = oneLine(text);
      return line.length <= 2048 && !/[\p{Cc}\u2028\u2029\u202e]/u.test(line);
    }),
  );
  t.equal(oneLine('a\nb\u001b[31mc'), 'a b [31mc');
});

t.test('a request line has allow-listed fields only', async (t) => {
  const { lines, log } = capture();
  const rich = {
    ...REQUEST,
    model: 'evil\n\u001b[2J"} sk-proj-abcdefghijklmnop',
    user: 'someone@example.org',
    messages: 'a prompt',
  };
  log.request(rich);
  t.equal(lines.length, 1);
  const [line = ''] = lines;
  t.equal(line.indexOf('\n'), line.length - 1);
  t.notMatch(line, /someone|prompt|abcdefgh/);
  t.notOk(line.includes('\u001b'));
  const parsed = JSON.parse(line);
  t.match(parsed, {
    level: 'info',
    msg: 'request',
    id: 'r1',
    key: 'web',
    status: 200,
    ms: 12.5,
    target: 'openai/gpt-5',
    cost_nano_usd: 1_500_000,
  });
  t.match(parsed.time, /^\d{4}-\d\d-\d\dT/);
  t.notOk('code' in parsed, 'nulls are left out');
  log.request({ ...REQUEST, status: 502, code: 'provider.provider_error' });
  t.match(JSON.parse(lines[1] ?? ''), { level: 'warn', code: 'provider.provider_error' });
});

t.test('a request line is JSON whatever is in it', async (t) => {
  const { lines, log } = capture();
  const text = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(text, text, fc.double(), (id, model, ms) => {
      log.request({ ...REQUEST, id, model, ms });
      const parsed = JSON.parse(lines.pop() ?? '');
      return parsed.id === oneLine(id) && Object.keys(parsed)[0] === 'level' && parsed.msg === 'request';
    }),
  );
  log.request(REQUEST);
  t.same(Object.keys(JSON.parse(lines[0] ?? '')).slice(0, 4), ['level', 'time', 'id', 'key']);
});

t.test('levels, errors and other lines', async (t) => {
  const { lines, log } = capture('json', 'warn');
  log.request(REQUEST);
  log.write('info', 'quiet');
  t.equal(lines.length, 0);
  log.write('warn', 'loud\nline', { path: 'upstream+key/with=signs', count: 3 });
  t.match(JSON.parse(lines[0] ?? ''), { msg: 'loud line', path: secret.mask, count: 3 });
  log.failure('it broke', new Error('outer', { cause: new TypeError('inner upstream+key/with=signs') }));
  t.match(JSON.parse(lines[1] ?? ''), { level: 'error', error: /outer.*caused by.*inner \[secret/ });
  log.flush();
  const loop: { cause?: unknown } & Error = new Error('round');
  loop.cause = loop;
  t.ok(describeError(loop).length < 10_000);
  t.equal(describeError('text'), 'text');
});

t.test('pretty lines', async (t) => {
  const { lines, log } = capture('pretty');
  log.request({ ...REQUEST, model: 'a\u001b[2Jb' });
  log.write('warn', 'careful', { what: 'this' });
  const [request = '', warning = ''] = lines.map((line) => stripVTControlCharacters(line));
  t.match(
    request,
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}200 \/v1\/chat\/completions a \[2Jb → openai\/gpt-5 13 ms \$0\.001500 id=r1 key=web stream=true attempts=1\n$/,
  );
  t.match(warning, /WARN {2}careful what=this\n$/);
});

t.test('level from the environment', async (t) => {
  t.equal(readLogLevel({}), 'info');
  t.equal(readLogLevel({ LOG_LEVEL: 'debug' }), 'debug');
  t.equal(readLogLevel({ TOLLGATE_LOG: ' WARN ', LOG_LEVEL: 'debug' }), 'warn');
  t.equal(readLogLevel({ TOLLGATE_LOG: '', LOG_LEVEL: 'error' }), 'error');
  t.throws(() => readLogLevel({ LOG_LEVEL: 'loud' }), /LOG_LEVEL=loud: not a log level/);
});
