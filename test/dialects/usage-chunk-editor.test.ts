import fc from 'fast-check';
import t from 'tap';
import { createUsageChunkEditor } from '../../src/dialects/usage-chunk-editor.js';
import { cutAt, cuttings, NO_RECORDINGS, openaiRecordings } from './recordings.js';

const USAGE = '"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}';
const TEXT = 'data: {"choices":[{"index":0,"delta":{"content":"é"}}],"usage":null}\n\n';
const ASKED = `data: {"id":"x","choices":[],${USAGE}}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** What the client gets. Checks the bookkeeping on the way: one answer per chunk, in order. */
function edit(chunks: readonly Buffer[], wire: 'openai-chat' | 'openai-embeddings' = 'openai-chat'): string {
  const editor = createUsageChunkEditor(wire);
  const answers: (Buffer | null)[] = [];
  chunks.forEach((chunk, index) => {
    const own = Buffer.from(chunk);
    answers.push(...editor.push(own, index === chunks.length - 1));
    own.fill(0x7e);
    if (wire === 'openai-chat' && editor.pending !== index + 1 - answers.length) throw new Error('wrong pending');
  });
  if (answers.length !== chunks.length) throw new Error(`${answers.length} answers for ${chunks.length} chunks`);
  return Buffer.concat(answers.map((answer, index) => answer ?? (chunks[index] as Buffer))).toString('latin1');
}

function whole(text: string): string {
  return Buffer.from(edit([Buffer.from(text)]), 'latin1').toString();
}

t.test('case 47: what is removed', async (t) => {
  t.equal(whole(TEXT + ASKED + DONE), TEXT + DONE);
  t.equal(whole(TEXT + DONE + ASKED), TEXT + DONE, 'after [DONE]');
  t.equal(whole(TEXT + ASKED.trimEnd()), TEXT, 'no last line end');
  t.equal(whole((TEXT + ASKED + DONE).replaceAll('\n', '\r\n')), (TEXT + DONE).replaceAll('\n', '\r\n'));
  t.equal(whole((TEXT + ASKED + DONE).replaceAll('\n', '\r')), (TEXT + DONE).replaceAll('\n', '\r'));
  t.equal(whole(`data:{${USAGE}, "choices" : [ ] }\n\n`), '', 'other order and spacing');
  t.equal(whole(`event: message\n${ASKED}${DONE}`), DONE, 'with an event line');
});

t.test('what stays', async (t) => {
  const kept = [
    'data: {"choices":[],"created":0,"id":"","prompt_filter_results":[{"a":1}]}\n\n',
    `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],${USAGE}}\n\n`,
    'data: {"choices":[],"usage":null}\n\n',
    `data: {${USAGE}}\n\n`,
    `data: {"choices":null,${USAGE}}\n\n`,
    `data: {"error":{"message":"x"},"choices":[],${USAGE}}\n\n`,
    `data: {"choices":[],"x":{${USAGE}}}\n\n`,
    `data: {"choices":[{"delta":{"content":"{\\"choices\\":[],\\"usage\\":{}}"}}]}\n\n`,
    ': {"choices":[],"usage":{}}\n\n',
    `data: {"choices":[],${USAGE}\n\n`,
    '\n\n\n',
    'data: \n\n',
    'garbage without end',
    `other: {"choices":[],${USAGE}}\n\n`,
  ];
  for (const text of kept) {
    t.equal(whole(text + DONE), text + DONE, text);
    t.equal(whole(DONE + text), DONE + text, text);
  }
  t.equal(edit([Buffer.from(ASKED)], 'openai-embeddings'), Buffer.from(ASKED).toString('latin1'), 'other wires');
  const huge = `data: {"choices":[],"x":"${'y'.repeat(100_000)}",${USAGE}}\n\n`;
  t.equal(edit(cutAt(Buffer.from(huge), [50_000, 70_000])), huge, 'an event that is open for too long');
});

t.test('only an open event keeps a chunk waiting', async (t) => {
  const editor = createUsageChunkEditor('openai-chat');
  const push = (text: string) => editor.push(Buffer.from(text), false).map((answer) => answer?.toString() ?? null);
  t.strictSame(push('data: {"id":"x","choices":[{"ind'), [null], 'a choice is there');
  t.strictSame(push('ex":0}]}\n\n'), [null]);
  t.strictSame(push('data: [DO'), [null], 'not an object');
  t.strictSame(push('NE]\n\ndata: {"id":"x"'), [], 'nothing known yet');
  t.strictSame(push(',"choices":[],"usage":{"a":1}}\n'), []);
  t.equal(editor.pending, 2);
  t.strictSame(push('\n'), ['NE]\n\n', '', ''], 'decided');
  t.strictSame(push('data: {"choices":[],"usage":null'), [null], 'null is no usage');
  t.strictSame(push('}\n\ndata: {"choi'), []);
  t.strictSame([...editor.release()], [null]);
  t.strictSame(push(`ces":[],${USAGE}}\n\n`), [null], 'released means kept');
  t.strictSame(push(ASKED), [''], 'the next one is edited again');
  t.strictSame([...editor.release()], []);
});

t.test('events that stay for certain are passed over', async (t) => {
  const editor = createUsageChunkEditor('openai-chat');
  const push = (bytes: string, from = 0, to = 0) =>
    editor.push(Buffer.from(bytes), false, { from, to }).map((answer) => answer?.toString() ?? null);
  // The usage event shows what was passed over: it stays.
  const all = ASKED.length;
  t.strictSame(push(ASKED, 0, all), [null]);
  t.strictSame(push(ASKED + ASKED + ASKED, all, 2 * all), [ASKED], 'in the middle');
  t.strictSame(push(': ping\n'), []);
  t.strictSame(push(ASKED, 0, all), ['', ''], 'not within an event');
  t.strictSame(push(ASKED.repeat(2000), 0, all * 2000), [null]);
  t.strictSame(push(ASKED.slice(0, 20)), [], 'the next event is not as long as all that was passed over');
  t.strictSame(push(ASKED.slice(20).replaceAll('\n', '\r')), ['', '']);
  t.strictSame(push(ASKED, 0, all), [null]);
  t.strictSame(push(`\n${TEXT}`), [null], 'not the end of the event that was removed');
});

t.test('a removed event is never left in halves', async (t) => {
  const editor = createUsageChunkEditor('openai-chat');
  const bytes = Buffer.from(`${ASKED}data: {"i`);
  t.strictSame([...editor.push(bytes.subarray(0, 20), false)], []);
  t.strictSame([...editor.push(bytes.subarray(20), false)], [], 'both wait for the second one');
  t.strictSame([...editor.release()].map(String), ['', 'data: {"i']);
});

const recordings = openaiRecordings().filter(({ streamed, wire }) => streamed && /chat|completions/.test(wire));

t.test('recordings', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of recordings) {
    const text = recording.bytes.toString('latin1');
    // No recorded usage chunk spans lines, so an expression can tell what should be left.
    const expected = text.replace(/^data: (\{.*\})\r?\n\r?\n/gm, (event, json: string) => {
      const value = JSON.parse(json) as { choices?: unknown[]; usage?: unknown };
      return value.choices?.length === 0 && value.usage ? '' : event;
    });
    t.equal(expected !== text, recording.features.includes('usage-chunk-empty-choices'), recording.id);
    for (const chunks of cuttings(recording.bytes)) t.ok(edit(chunks) === expected, recording.id);
  }
});

t.test('property: any cutting gives the same bytes', async () => {
  const event = fc.constantFrom(
    TEXT,
    ASKED,
    DONE,
    ': ping\n\n',
    'data: {"choices":[],"usage":null}\n\n',
    'event: x\n',
    '\n',
    `data: {"choices"\ndata: :[],${USAGE}}\n\n`,
  );
  const stream = fc
    .tuple(fc.array(event, { maxLength: 12 }), fc.constantFrom('\n', '\r\n', '\r'))
    .map(([events, end]) => Buffer.from(events.join('').replaceAll('\n', end)));
  fc.assert(
    fc.property(stream, fc.array(fc.nat(2000), { maxLength: 25 }), (bytes, cuts) => {
      const expected = edit([bytes]);
      const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
      if (edit(cutAt(bytes, places)) !== expected) throw new Error('cut');
      if (bytes.length > 0 && edit([...bytes].map((byte) => Buffer.from([byte]))) !== expected)
        throw new Error('bytes');
      if (Buffer.from(expected, 'latin1').toString().includes('"prompt_tokens"')) throw new Error('not removed');
    }),
    { numRuns: 2000 },
  );
});
