import fc from 'fast-check';
import t from 'tap';
import { MAX_LINE } from '../../src/codec/sse.js';
import type { Wire } from '../../src/dialects/endpoint.js';
import { Meter } from '../../src/gateway/meter.js';
import { PassingPipe } from '../../src/gateway/passing-pipe.js';
import { cutAt } from '../dialects/recordings.js';

const TEXT_STREAM = { stream: true, contentType: 'text/event-stream' };

/** What the client gets, and all that was read on the way. */
function pass(chunks: readonly Buffer[], wire: Wire) {
  const meter = new Meter({ wire, ...TEXT_STREAM }, '');
  const pipe = new PassingPipe({ meter, wire, plainStream: true, hidesUsage: true });
  const answers: (Buffer | null)[] = [];
  chunks.forEach((chunk, index) => {
    const own = Buffer.from(chunk);
    answers.push(...pipe.push(own, index === chunks.length - 1));
    own.fill(0x7e);
    if (pipe.pending !== index + 1 - answers.length) throw new Error(`${pipe.pending} pending`);
  });
  pipe.finish(() => undefined);
  const { sample, ...facts } = pipe.facts;
  const bytes = Buffer.concat(answers.map((answer, index) => answer ?? chunks[index] ?? Buffer.alloc(0)));
  const text = bytes.toString('latin1');
  return JSON.stringify({ facts, sample: sample.text(), text, truncated: pipe.truncated });
}

const USAGE = '"usage":{"prompt_tokens":5,"completion_tokens":7}';
const chat = (text: string, more = '') => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]${more}}\n\n`;
const text = fc.constantFrom(
  ' a',
  ' word',
  '',
  'é',
  '東京',
  '\\n',
  '\\"',
  'a"b',
  '\u0001',
  '\x80\xff',
  'data: x',
  '}]}',
);
const more = fc.constantFrom('', '', ',"id":"1"', ',"usage":null', ',"obfuscation":"xyz"', ',"p":"a\\"b"', `,${USAGE}`);
const chatEvent = fc.oneof(
  { weight: 6, arbitrary: text.map((each) => chat(each)) },
  { weight: 3, arbitrary: text.map((each) => chat(each, ',"obfuscation":"xy"')) },
  { weight: 2, arbitrary: fc.tuple(text, more).map(([each, after]) => chat(each, after)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      `data: {"choices":[],${USAGE}}\n\n`,
      'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
      'data: [DONE]\n\n',
      ': ping\n',
      ': ping\n\n',
      'event: error\n',
      'event: x\n',
      '\n',
      'data: {"choices":[]\n',
      chat(' two').slice(0, -1),
      chat(' no space').replace('data: ', 'data:'),
      chat(' cut').slice(0, 30),
      chat(' more').replace('\n', ' x\n'),
      chat(' more').replace('\n', ' \n'),
    ),
  },
);
const geminiEvent = text.map(
  (each) => `data: {"candidates":[{"content":{"parts":[{"text":"${each}"}]},"index":0}]}\n\n`,
);

function streamOf(event: fc.Arbitrary<string>): fc.Arbitrary<{ bytes: Buffer; ends: number[] }> {
  return fc
    .tuple(fc.array(event, { maxLength: 14, minLength: 1 }), fc.constantFrom('\n', '\r\n', '\r'))
    .map(([events, end]) => {
      const pieces = events.map((each) => Buffer.from(each.replaceAll('\n', end)));
      let at = 0;
      const ends = pieces.map((piece) => {
        at += piece.length;
        return at;
      });
      return { bytes: Buffer.concat(pieces), ends };
    });
}

t.test('property: events that are passed over are read like those that are not', async () => {
  for (const [wire, event] of [
    ['openai-chat', chatEvent],
    ['gemini-generate', geminiEvent],
  ] as const) {
    const cuts = fc.array(fc.nat(2000), { maxLength: 6 });
    fc.assert(
      fc.property(streamOf(event), cuts, fc.boolean(), ({ bytes, ends }, some, whole) => {
        // A chunk of one byte holds no whole event.
        const expected = pass(
          [...bytes].map((byte) => Buffer.from([byte])),
          wire,
        );
        const others = some.map((cut) => cut % bytes.length);
        const places = [...(whole ? ends.slice(0, -1) : []), ...others].sort((one, other) => one - other);
        const found = pass(cutAt(bytes, places), wire);
        if (found !== expected) throw new Error(`${places.join()}\n${found}\n${expected}`);
      }),
      { numRuns: 3000 },
    );
  }
});

t.test('what is passed over', async (t) => {
  for (const end of ['\n', '\r\n']) {
    const meter = new Meter({ wire: 'openai-chat', ...TEXT_STREAM }, '');
    const [a, b] = [chat(' a'), chat(' b')];
    /** The bytes of the chunk that were passed over. */
    const push = (each: string): string => {
      const chunk = Buffer.from(each.replaceAll('\n', end));
      const { from, to } = meter.push(chunk);
      return chunk.toString('utf8', from, to).replaceAll(end, '\n');
    };
    t.equal(push(chat('first') + a + b), a + b, 'the first one is parsed');
    t.equal(push(a + b), a + b);
    t.equal(push(a + chat('\\n') + b), a, 'up to one that is parsed');
    t.equal(push(a.slice(0, 40)), '', 'nothing that is cut');
    t.equal(push(a.slice(40) + b), b);
    t.equal(push(`: ping\n${b}`), b, 'behind something else');
    t.equal(push(a.replace('\n', ' x\n')), '', 'nothing that is no JSON');
    t.equal(push(`data: 1\n${a}`), '', 'nothing that is a part of another event');
    t.equal(push(chat('x'.repeat(MAX_LINE - 50))), '');
    t.match(meter.facts, { skipped: true, contentEvents: 11 }, 'nor what is too long');
    t.equal(meter.facts.contentBytes, 'first a b a b a\n b a b b'.length);
  }
});
