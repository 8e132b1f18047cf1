import t from 'tap';
import { GatewayError } from '../../../src/dialects/error.js';
import { isObject, type JsonObject, listIn, objectIn } from '../../../src/dialects/json-value.js';
import { writeOpenApiSchema } from '../../../src/dialects/translate/chat-to-gemini/openapi-schema.js';
import { chatToGemini } from '../../../src/dialects/translate/chat-to-gemini/pair.js';
import { PartialCall } from '../../../src/dialects/translate/chat-to-gemini/partial-call.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { findTranslation } from '../../../src/dialects/translate/registry.js';
import type { TranslationContext } from '../../../src/dialects/translate/translation.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { allRecordings, NO_RECORDINGS } from '../recordings.js';
import { contextFor } from './gemini-goldens.js';

const QUESTION = { role: 'user', content: 'x' };

interface Prepared {
  readonly body: JsonObject;
  readonly dropped: readonly string[];
}

function prepare(request: JsonObject, changes: Partial<TranslationContext> = {}): Prepared {
  const losses = new Losses();
  const { body } = chatToGemini.prepare({ messages: [QUESTION], ...request }, contextFor({ ...changes, losses }));
  assertRequest(geminiRequest, body);
  return { body, dropped: losses.dropped };
}

function config(request: JsonObject, changes: Partial<TranslationContext> = {}): JsonObject {
  return objectIn(prepare(request, changes).body, 'generationConfig') ?? {};
}

t.test('trap 18: options of OpenAI’s streams are not sent to Google', async (t) => {
  const { body, dropped } = prepare({ stream: true, stream_options: { include_usage: true }, model: 'm' });
  t.same(Object.keys(body), ['contents']);
  t.same(dropped, []);
});

t.test('trap 22: calls without arguments have an empty object', async (t) => {
  const call = (text: string | undefined) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } });
  for (const text of ['', ' ', '{}', undefined]) {
    const messages = [
      QUESTION,
      { role: 'assistant', tool_calls: [call(text)] },
      { role: 'tool', tool_call_id: 'c', content: '' },
    ];
    t.match(prepare({ messages }).body, { contents: [{}, { parts: [{ functionCall: { args: {} } }] }, {}] });
  }
  const answered = chatToGemini
    .prepare({ messages: [QUESTION] }, contextFor())
    .answer({ candidates: [{ content: { parts: [{ functionCall: { name: 'f' } }] }, finishReason: 'STOP' }] });
  t.match(answered, { choices: [{ message: { tool_calls: [{ function: { arguments: '{}' } }] } }] });
});

t.test('trap 26: results of parallel calls are one turn, in the order of the calls', async (t) => {
  const ids = ['a', 'b', 'c'];
  const calls = ids.map((id) => ({ id, type: 'function', function: { name: `f_${id}`, arguments: '{}' } }));
  const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: id });
  const messages = [QUESTION, { role: 'assistant', tool_calls: calls }, ...['c', 'a', 'b'].map(result), QUESTION];
  const contents = listIn(prepare({ messages }).body, 'contents');
  t.equal(contents.length, 4, 'the next question is a turn of its own');
  const named = listIn(contents[2], 'parts').map((part) => objectIn(part, 'functionResponse')?.['name']);
  t.same(named, ['f_a', 'f_b', 'f_c']);
});

t.test('trap 28: signatures of thoughts go both ways, and a lost one makes no 400', async (t) => {
  const call = chatToGemini.prepare({ messages: [QUESTION] }, contextFor({ model: 'gemini-3-pro-preview' }));
  const parts = [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'c2ln' }, { functionCall: { name: 'g' } }];
  const answer = call.answer({ candidates: [{ content: { parts }, finishReason: 'STOP' }] });
  const message = objectIn(listIn(answer, 'choices')[0], 'message');
  const [first, second] = listIn(message, 'tool_calls').filter(isObject);
  const results = [first, second].map((each) => ({ role: 'tool', tool_call_id: each?.['id'], content: 'x' }));
  const sent = (model: string, assistant: JsonObject) =>
    listIn(prepare({ messages: [QUESTION, assistant, ...results] }, { model }).body, 'contents')[1];
  t.same(listIn(sent('gemini-3-pro-preview', message ?? {}), 'parts').map(signature), ['c2ln', undefined]);
  const { extra_content: _lost, ...bare } = first ?? {};
  const without = { role: 'assistant', tool_calls: [bare, second] };
  t.same(listIn(sent('gemini-3.1-pro', without), 'parts').map(signature), [
    'skip_thought_signature_validator',
    undefined,
  ]);
  t.same(listIn(sent('gemini-2.5-pro', without), 'parts').map(signature), [undefined, undefined], 'not needed before');
  const old = prepare({ messages: [QUESTION, without, ...results, QUESTION] }, { model: 'gemini-3-pro' });
  t.notMatch(JSON.stringify(old.body), 'skip_thought', 'earlier turns are not checked');
});

function signature(part: unknown): unknown {
  return isObject(part) ? part['thoughtSignature'] : null;
}

t.test('trap 32: keywords of JSON Schema that Google refuses are not sent', async (t) => {
  const parameters = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { a: { const: 'x' }, b: { type: ['string', 'null'] }, $schema: { type: 'string' } },
    propertyNames: { pattern: '^a' },
    additionalProperties: false,
  };
  const tools = [{ type: 'function', function: { name: 'f', parameters } }];
  const declared = (model: string) => {
    const { body, dropped } = prepare({ tools }, { model });
    t.same(dropped, ['tools[].function.parameters.propertyNames'], model);
    return listIn(listIn(body, 'tools')[0], 'functionDeclarations')[0];
  };
  t.same(declared('gemini-2.5-flash'), {
    name: 'f',
    parametersJsonSchema: {
      type: 'object',
      properties: { a: { type: 'string', enum: ['x'] }, b: { type: ['string', 'null'] }, $schema: { type: 'string' } },
      additionalProperties: false,
    },
  });
  t.same(declared('gemini-2.0-flash'), {
    name: 'f',
    parameters: {
      type: 'object',
      properties: {
        a: { type: 'string', enum: ['x'] },
        b: { type: 'string', nullable: true },
        $schema: { type: 'string' },
      },
    },
  });
});

t.test('trap 33: every bound of the output is obeyed, the smallest first', async (t) => {
  t.match(config({ max_completion_tokens: 50 }), { maxOutputTokens: 50 });
  t.match(config({ max_tokens: 60 }), { maxOutputTokens: 60 });
  t.match(config({ max_tokens: 60, max_completion_tokens: 50 }), { maxOutputTokens: 50 });
  t.match(config({ max_completion_tokens: 50 }, { outputCap: 20 }), { maxOutputTokens: 20 });
  t.match(config({ max_tokens: null }, { outputCap: 20 }), { maxOutputTokens: 20 });
  t.notOk('maxOutputTokens' in config({}));
});

t.test('schemas that refer to themselves end', async (t) => {
  const lost: string[] = [];
  const tree = {
    $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } } },
    $ref: '#/$defs/Node',
  };
  const written = writeOpenApiSchema(tree, (keyword) => void lost.push(keyword));
  t.ok(JSON.stringify(written).length < 10_000);
  t.same(lost, ['$ref']);
  t.same(
    writeOpenApiSchema({ $ref: '#/nowhere' }, () => {}),
    {},
  );
  t.same(
    writeOpenApiSchema({ $ref: '#' }, () => {}),
    {},
    'itself',
  );
});

t.test('arguments in pieces', async (t) => {
  const call = new PartialCall('f', null);
  const add = (jsonPath: string, value: object) => call.add({ partialArgs: [{ jsonPath, ...value }] });
  add('$.recipe.steps[0]', { stringValue: 'Pre', willContinue: true });
  add('$.recipe.steps[0]', { stringValue: 'heat' });
  add('$.recipe.steps[1]', { stringValue: 'Bake' });
  add("$.recipe['a b']", { numberValue: 3 });
  add('$.done', { boolValue: true });
  add('$.nothing', { nullValue: 'NULL_VALUE' });
  add('$.__proto__.x', { numberValue: 1 });
  add('$.far[99999]', { numberValue: 1 });
  const text =
    '{"recipe":{"steps":["Preheat","Bake"],"a b":3},"done":true,"nothing":null,"__proto__":{"x":1},"far":[]}';
  t.equal(call.arguments, text);
  t.equal(({} as JsonObject)['x'], undefined);
});

t.test('thinking', async (t) => {
  const cases: readonly (readonly [
    model: string,
    asked: JsonObject,
    wanted: JsonObject | undefined,
    dropped?: string,
  ])[] = [
    ['gemini-2.5-flash', { reasoning_effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { reasoning_effort: 'low' }, { thinkingBudget: 1024, includeThoughts: true }],
    ['gemini-2.5-flash', { reasoning_effort: 'xhigh' }, { thinkingBudget: 24_576, includeThoughts: true }],
    ['gemini-2.5-pro', { reasoning_effort: 'none' }, { thinkingBudget: 128 }, 'reasoning_effort'],
    [
      'gemini-2.5-pro',
      { thinking: { type: 'enabled', budget_tokens: 99_999 } },
      { thinkingBudget: 32_768, includeThoughts: true },
    ],
    [
      'gemini-2.5-flash-lite',
      { thinking: { type: 'enabled', budget_tokens: 100 } },
      { thinkingBudget: 512, includeThoughts: true },
    ],
    ['gemini-2.5-flash', { thinking: { type: 'adaptive' } }, { thinkingBudget: -1, includeThoughts: true }],
    ['gemini-2.5-flash', { thinking: { type: 'disabled' }, reasoning_effort: 'high' }, { thinkingBudget: 0 }],
    ['gemini-3-pro-preview', { reasoning_effort: 'medium' }, { thinkingLevel: 'HIGH', includeThoughts: true }],
    ['gemini-3.1-pro-preview', { reasoning_effort: 'medium' }, { thinkingLevel: 'MEDIUM', includeThoughts: true }],
    ['gemini-3-flash-preview', { reasoning_effort: 'minimal' }, { thinkingLevel: 'MINIMAL', includeThoughts: true }],
    ['gemini-3-pro-preview', { reasoning_effort: 'none' }, { thinkingLevel: 'LOW' }, 'reasoning_effort'],
    [
      'gemini-3-flash-preview',
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      { thinkingLevel: 'MEDIUM', includeThoughts: true },
    ],
    ['gemini-3-flash-preview', { thinking: { type: 'adaptive' } }, { includeThoughts: true }],
    [
      'gemini-3-flash-preview',
      { reasoning_effort: 'max' },
      { thinkingLevel: 'HIGH', includeThoughts: true },
      'reasoning_effort',
    ],
    ['gemini-2.0-flash', { reasoning_effort: 'high' }, undefined, 'reasoning_effort'],
    ['gemini-2.0-flash', { reasoning_effort: 'none' }, undefined],
    ['gemini-2.5-flash', { reasoning_effort: 'huge' }, undefined, 'reasoning_effort'],
    ['gemini-2.5-flash', {}, undefined],
  ];
  for (const [model, asked, wanted, dropped] of cases) {
    const { body, dropped: told } = prepare(asked, { model });
    const name = `${model} ${JSON.stringify(asked)}`;
    t.strictSame(objectIn(body, 'generationConfig')?.['thinkingConfig'], wanted, name);
    t.strictSame(told, dropped === undefined ? [] : [dropped], name);
  }
});

t.test('every recorded request is valid for Google, or refused in words', { skip: NO_RECORDINGS }, async (t) => {
  let valid = 0;
  for (const { id, wire, status, request } of allRecordings()) {
    const translation = findTranslation(wire, 'gemini-generate');
    if (translation === null || status !== 200 || !isObject(request)) continue;
    for (const model of ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-3-pro-preview']) {
      const asked = (): JsonObject => translation.prepare(request, contextFor({ model })).body;
      try {
        asked();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        t.equal(error.code, 'unsupported_parameter', `${id} ${model}`);
        continue;
      }
      valid += 1;
      t.doesNotThrow(() => assertRequest(geminiRequest, JSON.parse(JSON.stringify(asked()))), `${id} ${model}`);
    }
  }
  t.ok(valid > 300, `most of them: ${valid}`);
});
