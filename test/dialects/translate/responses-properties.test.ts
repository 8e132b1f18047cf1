import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type JsonObject, listIn, stringIn } from '../../../src/dialects/json-value.js';
import { openCarried, sealCarried } from '../../../src/dialects/translate/responses-to-chat/carried.js';
import { FreeText } from '../../../src/dialects/translate/responses-to-chat/free-text.js';
import { responsesToChat } from '../../../src/dialects/translate/responses-to-chat/pair.js';
import { checkResponseEvents, lastResponse } from '../response-grammar.js';
import { contextFor, streamed } from './responses-goldens.js';

const REQUEST: JsonObject = {
  model: 'smart',
  input: 'Hi',
  stream: true,
  tools: [
    { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} }, strict: false },
    { type: 'custom', name: 'apply_patch' },
    { type: 'tool_search', execution: 'client' },
  ],
};

function call() {
  return responsesToChat.prepare(REQUEST, contextFor({ stream: true, extended: true }));
}

function lastOf(events: readonly JsonObject[]): JsonObject {
  const written = streamed(call(), events);
  checkResponseEvents(written);
  return lastResponse(written);
}

const NAMES = ['weather', 'apply_patch', 'tool_search', 'nobody'];
const call$ = fc.record({
  name: fc.constantFrom(...NAMES),
  arguments: fc.oneof(
    fc.constantFrom('', '{}', '{"input":"a\\n\\u00e9\\ud83d\\ude00"}', '{ "input" : "x" , "more": 1 }'),
    fc
      .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
      .map((value) => JSON.stringify(value)),
  ),
});
const answer$ = fc.record({
  reasoning: fc.string({ unit: 'grapheme', maxLength: 30 }),
  text: fc.string({ unit: 'grapheme', maxLength: 30 }),
  calls: fc.array(call$, { maxLength: 4 }),
  finish: fc.constantFrom('stop', 'tool_calls', 'length', 'content_filter'),
});

type Chunks = readonly JsonObject[];

function pieces(text: string, sizes: readonly number[]): readonly string[] {
  const found: string[] = [];
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    found.push(text.slice(at, at + size));
    at += size;
  }
  return found;
}

function chunk(delta: JsonObject, finish: string | null = null): JsonObject {
  return { model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] };
}

interface Answer {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
  readonly finish: string;
}

/** @param sizes of the pieces, in turn @param woven pieces of the calls take turns, else the calls follow one another */
function chunksOf(
  { reasoning, text, calls, finish }: Answer,
  sizes: readonly number[],
  woven: boolean,
): readonly JsonObject[] {
  const perCall = calls.map(
    ({ name, arguments: json }, index): Chunks => [
      chunk({ tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } }] }),
      ...pieces(json, sizes).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ],
  );
  const longest = Math.max(0, ...perCall.map((chunks) => chunks.length));
  const taken = (turn: number) => perCall.map((chunks) => chunks[turn]).filter((each) => each !== undefined);
  const turns = Array.from({ length: longest }, (_, turn): Chunks => taken(turn));
  return [
    ...pieces(reasoning, sizes).map((piece) => chunk({ reasoning_content: piece })),
    ...pieces(text, sizes).map((piece) => chunk({ content: piece })),
    ...(woven ? turns : perCall).flatMap((chunks) => [...chunks]),
    chunk({}, finish),
  ];
}

t.test('a stream gives the same Response however it is cut and woven', async (t) => {
  const sizes$ = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(answer$, sizes$, fc.boolean(), (answer, sizes, woven) => {
      const found = lastOf(chunksOf(answer, sizes, woven));
      const wanted = lastOf(chunksOf(answer, [1_000], false));
      deepStrictEqual(found['output'], wanted['output']);
      const texts = listIn(found, 'output').flatMap((item) => listIn(item, 'content'));
      if (texts.map((part) => stringIn(part, 'text') ?? '').join('') !== answer.text) throw new Error('lost text');
      const functions = listIn(found, 'output').filter((item) => stringIn(item, 'type')?.endsWith('_call'));
      if (functions.length !== answer.calls.length) throw new Error('lost calls');
    }),
    { numRuns: 150 },
  );
  t.pass();
});

/** Chunks with members of every kind at the places that are read. */
const value$ = fc.oneof(
  fc.constantFrom(null, '', 'weather', '{"a":', '"b"}', '{}', 0, 1, -1, 7.5, true),
  fc.jsonValue({ maxDepth: 1 }),
);
const wildCall$ = fc.record(
  {
    index: value$,
    id: value$,
    function: fc.oneof(fc.record({ name: value$, arguments: value$ }, { requiredKeys: [] }), value$),
    custom: fc.oneof(fc.record({ name: value$, input: value$ }), value$),
    extra_content: fc.oneof(fc.record({ google: fc.record({ thought_signature: value$ }) }), value$),
  },
  { requiredKeys: [] },
);
const wildDelta$ = fc.record(
  {
    content: fc.oneof(value$, fc.array(fc.record({ type: value$, text: value$, thinking: value$ }))),
    reasoning_content: value$,
    refusal: value$,
    thinking_blocks: fc.oneof(fc.array(fc.record({ type: value$, thinking: value$, signature: value$ })), value$),
    tool_calls: fc.oneof(fc.array(wildCall$, { maxLength: 3 }), value$),
    extra_content: fc.oneof(fc.constant({ google: {} }), value$),
  },
  { requiredKeys: [] },
);
const wildChunk$ = fc.record(
  {
    model: value$,
    service_tier: value$,
    usage: fc.oneof(value$, fc.record({ prompt_tokens: value$, completion_tokens: value$ })),
    choices: fc.oneof(
      fc.array(
        fc.record(
          {
            index: fc.constantFrom(0, 0, 1, null),
            delta: fc.oneof(wildDelta$, value$),
            finish_reason: fc.constantFrom(null, null, 'stop', 'length', 'error', 'eos', 3),
            logprobs: fc.oneof(value$, fc.record({ content: fc.array(value$) })),
          },
          { requiredKeys: ['delta'] },
        ),
        { maxLength: 2 },
      ),
      value$,
    ),
  },
  { requiredKeys: [] },
);

t.test('whatever a provider sends, the events keep their order', async (t) => {
  fc.assert(
    fc.property(fc.array(wildChunk$, { maxLength: 8 }), fc.constantFrom('done', 'closed'), (chunks, ends) => {
      const written = streamed(call(), chunks as JsonObject[], ends as 'done' | 'closed');
      checkResponseEvents(written);
    }),
    { numRuns: 600 },
  );
  fc.assert(
    fc.property(fc.oneof(wildChunk$, fc.dictionary(fc.string(), value$)), (body) => {
      const response = call().answer(body as JsonObject);
      if (stringIn(response, 'object') !== 'response') throw new Error('no Response');
    }),
    { numRuns: 200 },
  );
  t.pass('never throws');
});

/** JSON text of a string in which any character may be escaped. */
function escapedJson(text: string, escapes: readonly boolean[]): string {
  const units = [...text].flatMap((character) => character.split(''));
  const written = units.map((unit, at) => {
    const plain = JSON.stringify(unit).slice(1, -1);
    const isHalf = /[\ud800-\udfff]/.test(unit);
    const code = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    // Halves of a pair are escaped together or not at all.
    return isHalf ? code : escapes[at % escapes.length] ? code : plain;
  });
  return written.join('');
}

t.test('the text of a custom tool, cut anywhere', async (t) => {
  const text$ = fc.string({ unit: 'grapheme', maxLength: 40 });
  const escapes$ = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
  const sizes$ = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(text$, escapes$, sizes$, (text, escapes, sizes) => {
      const json = `{"input": "${escapedJson(text, escapes)}"}`;
      const reader = new FreeText();
      const told = pieces(json, sizes).map((piece) => reader.push(piece));
      told.push(reader.end());
      if (told.join('') !== text || reader.text !== text) throw new Error(`${JSON.stringify(told)} from ${json}`);
      if (told.some((piece) => piece !== piece.toWellFormed())) throw new Error('half a character');
    }),
    { numRuns: 500 },
  );
  const odd: Readonly<Record<string, string>> = {
    'plain words': 'plain words',
    '"a string"': 'a string',
    '{"patch":"x"}': '{"patch":"x"}',
    '{"why":"y","input":"x"}': 'x',
    '{}': '',
    '': '',
    '{"input":"cut': 'cut',
    '{"input":"\\ud83d"}': '\ufffd',
    '{"input":"\\ud83d\\u0041"}': '\ufffdA',
    '{"input":"\\uzzzz"}': '\ufffd',
  };
  for (const [json, wanted] of Object.entries(odd)) {
    const reader = new FreeText();
    for (const piece of pieces(json, [1])) reader.push(piece);
    reader.end();
    t.equal(reader.text, wanted, json);
  }
});

t.test('what is sealed is read again', async (t) => {
  const text$ = fc.string({ unit: 'grapheme', maxLength: 20 });
  const block$ = fc.oneof(
    text$.map((text) => ({ type: 'thinking', thinking: text, signature: `of ${text}` })),
    text$.map((data) => ({ type: 'redacted_thinking', data })),
  );
  const extra$ = text$.map((text) => ({ google: { thought_signature: text } }));
  fc.assert(
    fc.property(fc.array(block$), fc.option(extra$), fc.array(fc.tuple(text$, extra$)), (blocks, extra, calls) => {
      const carried = { blocks, extra, calls: new Map(calls) };
      const sealed = sealCarried(carried);
      if (!/^tg1\.[\w-]+$/.test(sealed)) throw new Error(sealed);
      deepStrictEqual(openCarried(sealed), carried);
    }),
    { numRuns: 50 },
  );
  t.pass();
});
