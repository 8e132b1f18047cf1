import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type BodySize, type RequestKind, TokenWidths } from '../../../src/accounting/recovery/token-widths.js';
import { seededRandom } from '../../seeded-random.js';
import { temporaryDirectory } from '../samples.js';

const KIND = { target: 'openai/gpt-5', endpoint: '/v1/chat/completions', stream: true };
/** An answer of one event per token between a first and a last event. */
const ENVELOPE = 190;
const ENDS = 420;

function observeAnswer(widths: TokenWidths, kind: RequestKind, answer: BodySize): void {
  widths.observe(kind, { request: [100, 0], answer });
}

function observeRequest(widths: TokenWidths, kind: RequestKind, request: BodySize): void {
  widths.observe(kind, { request, answer: [0, 0] });
}

function learned(tokens: readonly number[], wordLength: (token: number) => number): TokenWidths {
  const widths = new TokenWidths();
  for (const count of tokens) observeAnswer(widths, KIND, [bytesOf(count, wordLength), count]);
  return widths;
}

function bytesOf(tokens: number, wordLength: (token: number) => number): number {
  let bytes = ENDS;
  for (let token = 0; token < tokens; token += 1) bytes += ENVELOPE + wordLength(token);
  return bytes;
}

t.test('answers that are built alike: exact', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 8, maxLength: 60 }),
      fc.nat(900),
      (sizes, more) => {
        const count = more + 1;
        const told = learned(sizes, () => 5).outputTokens(
          KIND,
          bytesOf(count, () => 5),
          false,
        );
        // Of one length only: the ends count as tokens too, never the other way round.
        const alike = new Set(sizes.slice(-32)).size === 1;
        return told !== null && (alike ? told >= count || count > (sizes.at(-1) ?? 0) : told === count);
      },
    ),
  );
  t.pass();
});

t.test('words of any length: hardly ever below, and in sum little above', async (t) => {
  const random = fc.sample(fc.integer({ min: 1, max: 12 }), { numRuns: 40_000, seed: 7 });
  let at = 0;
  const word = () => random[at++ % random.length] ?? 1;
  const sizes = fc.sample(fc.integer({ min: 20, max: 400 }), { numRuns: 232, seed: 9 });
  const widths = learned(sizes.slice(0, 32), word);
  let [below, truth, estimated] = [0, 0, 0];
  for (const count of sizes.slice(32)) {
    const told = widths.outputTokens(KIND, bytesOf(count, word), false) ?? 0;
    if (told < count) below += 1;
    truth += count;
    estimated += told;
  }
  t.ok(below <= 10, `${below} of 200 below`);
  t.ok(estimated >= truth && estimated <= truth * 1.02, `${estimated} for ${truth}`);
  for (const count of [1, 20, 300]) {
    const cut = bytesOf(count, () => 6) - ENDS;
    const told = widths.outputTokens(KIND, cut, true) ?? 0;
    t.ok(told >= count && told <= count * 1.02 + 5, `cut after ${count}: ${told}`);
  }
});

t.test('whole bodies, where a token is as wide as its word: the sum of many', async (t) => {
  const random = seededRandom(11);
  // Two bytes or eight: texts differ by a tenth in what a token takes.
  const dense = () => (random() < 0.5 ? 0.5 : 1.5);
  const answer = () => {
    const tokens = 20 + Math.floor(random() * 230);
    const width = 4 * (1 + 0.15 * (dense() - 1));
    return [Math.round(380 + tokens * width), tokens] as const;
  };
  const whole = { ...KIND, stream: false };
  const widths = new TokenWidths();
  for (let at = 0; at < 32; at += 1) observeAnswer(widths, whole, answer());
  let [truth, estimated] = [0, 0];
  for (let at = 0; at < 1_000; at += 1) {
    const [bytes, tokens] = answer();
    truth += tokens;
    estimated += widths.outputTokens(whole, bytes, false) ?? 0;
  }
  t.ok(estimated >= truth && estimated <= truth * 1.1, `${estimated} for ${truth}`);
});

t.test('too little is known; kinds do not mix; a length that says nothing', async (t) => {
  const widths = learned([10, 20, 30, 40, 50, 60, 70], () => 5);
  t.equal(widths.outputTokens(KIND, 5_000, false), null);
  t.equal(widths.longAnswer(KIND), null);
  observeAnswer(widths, KIND, [bytesOf(80, () => 5), 80]);
  t.equal(
    widths.outputTokens(
      KIND,
      bytesOf(44, () => 5),
      false,
    ),
    44,
  );
  t.equal(widths.outputTokens(KIND, 0, false), null);
  t.equal(widths.outputTokens(KIND, 1, false), 1, 'any answer is at least one token');
  t.equal(widths.longAnswer(KIND), 70);
  t.equal(widths.outputTokens({ ...KIND, stream: false }, 5_000, false), null);
  // Hidden reasoning: more tokens behind fewer bytes.
  const hidden = new TokenWidths();
  for (let at = 0; at < 10; at += 1) observeAnswer(hidden, KIND, [1_000 - at, 100 + 10 * at]);
  t.ok((hidden.outputTokens(KIND, 991, false) ?? 0) >= 190);
});

t.test('requests: text between a form that all of them have', async (t) => {
  const random = seededRandom(5);
  // Prompts of 5 to 200 tokens of 4 to 5 bytes; 130 bytes of JSON, of which the provider counts 7 tokens.
  const request = (): BodySize => {
    const tokens = 5 + Math.floor(random() * 196);
    return [Math.round(130 + tokens * (4 + random())), 7 + tokens];
  };
  const widths = new TokenWidths();
  t.equal(widths.inputTokens(KIND, 500), null);
  for (let at = 0; at < 32; at += 1) observeRequest(widths, KIND, request());
  let [truth, estimated] = [0, 0];
  for (let at = 0; at < 1_000; at += 1) {
    const [bytes, tokens] = request();
    truth += tokens;
    estimated += widths.inputTokens(KIND, bytes) ?? 0;
  }
  t.ok(estimated >= truth && estimated <= truth * 1.04, `${estimated} for ${truth}`);
  t.equal(widths.inputTokens({ ...KIND, stream: false }, 500), null, 'kinds do not mix');
  t.equal(widths.inputTokens(KIND, 0), null);
  t.equal(widths.inputTokens(KIND, 1), 1);
  const long = widths.inputTokens(KIND, 1_001_000) ?? 0;
  t.ok(long >= 250_000 && long < 250_500, `what is longer than all of them is text: ${long}`);
});

t.test('requests that say nothing of text: images, prompts that lie with the provider, no usage', async (t) => {
  const widths = new TokenWidths();
  for (let at = 1; at <= 32; at += 1) {
    observeRequest(widths, KIND, [400 * at, 100 * at]);
    observeRequest(widths, KIND, [2_000_000, 1_500]);
    observeRequest(widths, KIND, [200, 90_000]);
    observeRequest(widths, KIND, [200, 0]);
    observeRequest(widths, KIND, [0, 0]);
  }
  // 2 % of the mean above the line through them.
  t.equal(widths.inputTokens(KIND, 4_000), 1_033);
  // Of one length: its share.
  const alike = new TokenWidths();
  for (let at = 0; at < 8; at += 1) observeRequest(alike, KIND, [400, 90]);
  t.equal(alike.inputTokens(KIND, 200), 45);
});

t.test('is kept over a restart; whatever lies there instead is no harm', async (t) => {
  const path = join(temporaryDirectory(t), 'widths.json');
  const widths = learned([10, 20, 30, 40, 50, 60, 70, 80], () => 5);
  for (let at = 1; at <= 8; at += 1) observeRequest(widths, KIND, [400 * at, 100 * at]);
  await widths.save(path);
  const again = new TokenWidths();
  await again.load(path);
  t.equal(
    again.outputTokens(
      KIND,
      bytesOf(33, () => 5),
      false,
    ),
    33,
  );
  t.equal(again.inputTokens(KIND, 2_000), widths.inputTokens(KIND, 2_000));
  t.equal(again.inputTokens(KIND, 2_000), 509);
  const answers = JSON.stringify([10, 20, 30, 40, 50, 60, 70, 80].map((tokens) => [100 * tokens, tokens]));
  writeFileSync(path, `{"version":1,"kinds":[["openai/gpt-5 /v1/chat/completions stream",${answers}]]}`);
  const earlier = new TokenWidths();
  await earlier.load(path);
  t.equal(earlier.outputTokens(KIND, 1_500, false), 15, 'from a version that did not learn of requests');
  t.equal(earlier.inputTokens(KIND, 1_500), null);
  for (const text of [
    '',
    '{',
    'null',
    '{"version":1}',
    '{"version":2,"kinds":[]}',
    '{"version":1,"kinds":[["a",[[1,"2"]]]]}',
    '{"version":1,"kinds":[["a",[[1,2]],[[1]]]]}',
  ]) {
    writeFileSync(path, text);
    const other = new TokenWidths();
    await other.load(path);
    t.equal(other.outputTokens(KIND, 5_000, false), null, text);
  }
  observeAnswer(widths, KIND, [bytesOf(90, () => 5), 90]);
  await t.rejects(widths.save(join(path, 'nowhere')));
  await widths.save(path);
  t.equal(
    (JSON.parse(readFileSync(path, 'utf8')) as { kinds: unknown[][][] }).kinds[0]?.[1]?.length,
    9,
    'not forgotten',
  );
});

t.test('the number of kinds is bounded', async (t) => {
  const widths = new TokenWidths();
  for (let at = 0; at < 600; at += 1) {
    for (let sample = 1; sample <= 8; sample += 1) {
      observeAnswer(widths, { ...KIND, target: `p/m${at}` }, [sample * 200, sample]);
    }
  }
  t.equal(widths.outputTokens({ ...KIND, target: 'p/m0' }, 400, false), null);
  t.equal(widths.outputTokens({ ...KIND, target: 'p/m599' }, 400, false), 2);
  for (let at = 0; at < 600; at += 1) observeRequest(widths, { ...KIND, target: `p/silent${at}` }, [200, 0]);
  t.equal(widths.outputTokens({ ...KIND, target: 'p/m100' }, 400, false), 2, 'kinds of which nothing is learned');
});
