import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import t from 'tap';
import { createBytePairCounter } from '../../../src/accounting/tokens/byte-pairs.js';
import { loadO200k } from '../../../src/accounting/tokens/load-o200k.js';
import { readVocabulary } from '../../../src/accounting/tokens/vocabulary.js';

const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
const reference = (text: string): number => countTokens(text, PLAIN);

const SAMPLES = [
  '',
  'a',
  ' ',
  '\n\n  \n',
  "I'll say it's THEIR'S, we've won't",
  'const answer = await fetch(`/v1/models?limit=1000000`, { method: "POST" });\n\t\treturn 1;',
  'Größe, naïve café, Ærøskøbing, żółć',
  '東京都庁は新宿区にあります。안녕하세요 세계. สวัสดีชาวโลก नमस्ते दुनिया',
  '👩‍👩‍👧‍👦 🇩🇪 \u{1f600}\u{1f3fd}',
  '\ud800 alone \udc00',
  '<|endoftext|><|im_start|>user',
  'antidisestablishmentarianism'.repeat(20),
  'qzxjkvwpqzxj'.repeat(30),
  '=================================\r\n\r\n///***',
  '12345678901234567890',
  '\u0000\u0001\u007f\u0080\ufffd',
];

/** What texts are made of: parts whose splitting depends on what stands beside them. */
const part = fc.oneof(
  fc.constantFrom(
    ' ',
    '  ',
    '\n',
    '\r\n',
    '\t',
    "'s",
    "'LL",
    '1',
    '42',
    '2026',
    'the',
    ' The',
    'ING',
    '/',
    '…',
    'é',
    '́',
    '東',
    '😀',
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udfff', 'x', ' '), maxLength: 4 }),
);

t.test('as many tokens as the reference counts', async (t) => {
  const count = await loadO200k();
  for (const text of SAMPLES) t.equal(count(text), reference(text), JSON.stringify(text.slice(0, 30)));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      return count(text) === reference(text);
    }),
    { numRuns: 2_000 },
  );
});

t.test('a vocabulary gives the rank of its pieces and of nothing else', (t) => {
  const pieces = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 6 }), {
    minLength: 1,
    selector: (piece) => Buffer.from(piece).toString('hex'),
  });
  fc.assert(
    fc.property(pieces, fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.boolean(), (listed, other, endsWithLine) => {
      const lines = listed.map((piece, rank) => `${Buffer.from(piece).toString('base64')} ${rank}`);
      const vocabulary = readVocabulary(Buffer.from(lines.join('\n') + (endsWithLine ? '\n' : '')));
      const rankOf = (piece: Uint8Array): number =>
        vocabulary.rankOf(Buffer.concat([Buffer.from('<'), piece, Buffer.from('>')]), 1, 1 + piece.length);
      const expected = listed.findIndex((piece) => Buffer.compare(piece, other) === 0);
      return listed.every((piece, rank) => rankOf(piece) === rank) && rankOf(other) === expected;
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('the lowest rank is merged first, wherever it stands', (t) => {
  const ranked = ['a', 'b', 'c', 'bc', 'ab', 'abc'].map((piece, rank) => `${btoa(piece)} ${rank}`).join('\n');
  const count = createBytePairCounter(readVocabulary(Buffer.from(ranked)), /\S+|\s/g);
  t.equal(count('abcab'), 2, 'abc, ab');
  t.equal(count('abab'), 2, 'ab, ab');
  t.equal(count('bcb'), 2, 'bc, b: not b, cb');
  t.equal(count('abc abc'), 3, 'whole words and what lies between');
  t.end();
});
