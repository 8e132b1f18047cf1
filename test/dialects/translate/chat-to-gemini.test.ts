import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream.mjs';
import t from 'tap';
import { type Framing, framingOf } from '../../../src/dialects/event-decoder.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import { normaliseGeminiUsage } from '../../../src/dialects/gemini/usage.js';
import { isObject, type JsonObject, listIn, objectIn } from '../../../src/dialects/json-value.js';
import { writeOpenApiSchema } from '../../../src/dialects/translate/chat-to-gemini/openapi-schema.js';
import { chatToGemini } from '../../../src/dialects/translate/chat-to-gemini/pair.js';
import { PartialCall } from '../../../src/dialects/translate/chat-to-gemini/partial-call.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import type { TranslationContext } from '../../../src/dialects/translate/translation.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { contextFor, goldensOf, streamed } from './gemini-goldens.js';

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

/** Chunks of one answer, by the client's rules: one role per choice, one finish, nothing after it, usage apart and last. */
function problemsOf(written: readonly unknown[]): readonly string[] {
  const problems: string[] = [];
  const begun = new Set<unknown>();
  const finished = new Set<unknown>();
  const calls = new Map<unknown, number>();
  for (const [at, chunk] of written.slice(0, -1).entries()) {
    assertValid('CreateChatCompletionStreamResponse', chunk);
    const choices = listIn(chunk, 'choices').filter(isObject);
    if (choices.length === 0 && at !== written.length - 2)
      problems.push(`${at}: a chunk without choices is not the last`);
    for (const { index, delta, finish_reason: finish } of choices) {
      const role = objectIn({ delta }, 'delta')?.['role'];
      if ((role === undefined) !== begun.has(index)) problems.push(`${at}: the role comes once, first`);
      if (finished.has(index)) problems.push(`${at}: goes on after its end`);
      begun.add(index);
      if (finish !== null) finished.add(index);
      for (const call of listIn(delta, 'tool_calls').filter(isObject)) {
        if (call['index'] !== (calls.get(index) ?? 0)) problems.push(`${at}: calls are counted from 0`);
        calls.set(index, (calls.get(index) ?? 0) + 1);
        JSON.parse(String(objectIn(call, 'function')?.['arguments']));
      }
    }
  }
  if (written.at(-1) !== '[DONE]') problems.push('has no end');
  if (begun.size === 0 || finished.size < begun.size) problems.push('a choice does not end');
  return problems;
}

t.test('goldens', async (t) => {
  for (const [name, wanted, found] of goldensOf('chat-to-gemini', chatToGemini)) {
    t.strictSame(found, wanted, name);
    const { expected, read, written } = found;
    if (expected && !('error' in expected)) t.doesNotThrow(() => assertRequest(geminiRequest, expected), name);
    if (read) t.doesNotThrow(() => assertValid('CreateChatCompletionResponse', read), name);
    if (written && !name.includes('cut')) t.same(problemsOf(written), [], name);
  }
});

const recordings = allRecordings().filter(({ wire, status }) => wire === 'gemini-generate' && status === 200);

function eventsOf(recording: Recording, chunks: readonly Buffer[]): JsonObject[] {
  const events: JsonObject[] = [];
  const framing: Framing = framingOf(recording.contentType, true) ?? 'sse';
  const handler = {
    event: (_type: string, data: JsonObject) => void events.push(data),
    done: () => {},
    fault: () => {},
    skipped: () => {},
  };
  const decoder = createEventDecoder(framing, handler);
  for (const chunk of chunks) decoder.push(Buffer.from(chunk));
  decoder.end();
  return events;
}

/** `chat.completion` as OpenAI's own client puts it together from the chunks. */
async function accumulated(written: readonly unknown[]): Promise<unknown> {
  const lines = written.slice(0, -1).map((chunk) => `${JSON.stringify(chunk)}\n`);
  const stream = new ReadableStream({
    start(controller) {
      for (const line of lines) controller.enqueue(new TextEncoder().encode(line));
      controller.close();
    },
  });
  return await ChatCompletionStream.fromReadableStream(stream).finalChatCompletion();
}

t.test('every recorded answer is read by a client of chat', { skip: NO_RECORDINGS }, async (t) => {
  t.ok(recordings.length >= 35, 'there are recordings');
  for (const recording of recordings) {
    const { id, bytes, endpoint, usage, finishReason } = recording;
    const request = { messages: [QUESTION], web_search_options: {} };
    const stream = endpoint === 'gemini.streamGenerateContent';
    const call = chatToGemini.prepare(request, contextFor({ stream }));
    let read: JsonObject;
    if (stream) {
      const [written, ...others] = cuttings(bytes).map((chunks) => streamed(call, eventsOf(recording, chunks)));
      if (written === undefined) throw new Error('no cutting');
      for (const other of others) t.strictSame(other, written, `${id}: same for every cutting`);
      t.same(problemsOf(written), [], id);
      const whole = await accumulated(written);
      if (!isObject(whole)) throw new Error(id);
      read = { ...whole, usage: objectIn(written.at(-2), 'usage') };
    } else {
      read = call.answer(JSON.parse(bytes.toString()) as JsonObject);
      t.doesNotThrow(() => assertValid('CreateChatCompletionResponse', read), id);
    }
    if (typeof usage?.['totalTokenCount'] === 'number') {
      const expected = normaliseGeminiUsage(usage, null);
      const output = expected.output + expected.reasoning + expected.output_audio;
      t.equal(objectIn(read, 'usage')?.['completion_tokens'], output, `${id}: output with thoughts`);
    }
    const [choice] = listIn(read, 'choices').filter(isObject);
    const message = objectIn(choice, 'message');
    if (/^(?:STOP|1)$/.test(String(finishReason)))
      t.equal(choice?.['finish_reason'], listIn(message, 'tool_calls').length > 0 ? 'tool_calls' : 'stop', id);
    if (/SAFETY|BLOCKED/.test(String(finishReason))) t.equal(choice?.['finish_reason'], 'content_filter', id);
  }
});

t.test('nothing that a provider sends makes it throw', async () => {
  const names =
    'candidates content parts text thought functionCall name args partialArgs jsonPath stringValue willContinue inlineData mimeType data finishReason index groundingMetadata groundingChunks groundingSupports groundingChunkIndices segment startIndex endIndex web uri logprobsResult chosenCandidates topCandidates token promptFeedback blockReason usageMetadata promptTokenCount candidatesTokenCount promptTokensDetails modality tokenCount modelVersion';
  const key = fc.constantFrom(...names.split(' '));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, true, 'STOP', '$.a[0].b', '', -1, 1e300, 0.5, 3),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  const part = fc.record(
    {
      text: value,
      thought: value,
      functionCall: value,
      inlineData: value,
      thoughtSignature: value,
      executableCode: value,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const candidate = fc.record(
    {
      content: fc.record({ parts: fc.array(fc.oneof(part, value), { maxLength: 4 }) }),
      finishReason: value,
      index: value,
      groundingMetadata: value,
      logprobsResult: value,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const event = fc.record(
    {
      candidates: fc.oneof(fc.array(fc.oneof(candidate, value), { maxLength: 3 }), value),
      promptFeedback: value,
      usageMetadata: value,
      modelVersion: value,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), (events) => {
      const call = chatToGemini.prepare({ messages: [QUESTION], web_search_options: {} }, contextFor());
      const written = streamed(call, events as JsonObject[]);
      for (const each of events) JSON.stringify(call.answer(each as JsonObject));
      JSON.stringify(written);
      return written.length > 0;
    }),
    { numRuns: 300 },
  );
});

t.test('trap 9: thoughts are in the completion, and what tools put in is in the prompt', async (t) => {
  const usageMetadata = {
    promptTokenCount: 10,
    candidatesTokenCount: 4,
    thoughtsTokenCount: 20,
    toolUsePromptTokenCount: 7,
    totalTokenCount: 41,
  };
  const call = chatToGemini.prepare({ messages: [QUESTION] }, contextFor());
  t.match(call.answer({ usageMetadata })['usage'], { prompt_tokens: 17, completion_tokens: 24, total_tokens: 41 });
});

t.test('trap 10: the usage of many chunks is stated once, as the last one says', async (t) => {
  const usage = (candidates: number) => ({ promptTokenCount: 5, candidatesTokenCount: candidates });
  const chunk = (candidates: number, more: object = {}) => ({
    candidates: [{ content: { parts: [{ text: 'a' }] }, ...more }],
    usageMetadata: usage(candidates),
  });
  const call = chatToGemini.prepare({ messages: [QUESTION] }, contextFor({ stream: true }));
  const written = streamed(call, [chunk(1), chunk(2), chunk(3, { finishReason: 'STOP' })]);
  const stated = written.filter((each) => objectIn(each, 'usage') !== null);
  t.equal(stated.length, 1);
  t.match(stated[0], { usage: { prompt_tokens: 5, completion_tokens: 3 } });
  const silent = chatToGemini.prepare({ messages: [QUESTION] }, contextFor({ stream: true, includeUsage: false }));
  const unasked = streamed(silent, [chunk(3, { finishReason: 'STOP' })]);
  t.ok(
    unasked.every((each) => objectIn(each, 'usage') === null),
    'not for a client that did not ask',
  );
});

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

t.test('trap 25: an answer that calls functions ends with tool_calls', async (t) => {
  const chunk = (part: object, more: object = {}) => ({ candidates: [{ content: { parts: [part] }, ...more }] });
  const events = [chunk({ functionCall: { name: 'f', args: {} } }), chunk({ text: '' }, { finishReason: 'STOP' })];
  const call = chatToGemini.prepare({ messages: [QUESTION] }, contextFor({ stream: true }));
  t.match(streamed(call, events).at(-2), { choices: [{ finish_reason: 'tool_calls' }] });
  const whole = chunk({ functionCall: { name: 'f', args: {} } }, { finishReason: 'STOP' });
  t.match(call.answer(whole), { choices: [{ finish_reason: 'tool_calls' }] });
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

t.test('one answer has one id for each call, and another answer has others', async (t) => {
  const parts = [{ functionCall: { name: 'f' } }, { functionCall: { name: 'f' } }];
  const answer = { candidates: [{ content: { parts }, finishReason: 'STOP' }] };
  const ids = (id: string): unknown[] => {
    const call = chatToGemini.prepare({ messages: [QUESTION] }, contextFor({ id }));
    const message = objectIn(listIn(call.answer(answer), 'choices')[0], 'message');
    return listIn(message, 'tool_calls').map((each) => (isObject(each) ? each['id'] : null));
  };
  const [one, two] = ['0199aaaa-1111-7000-8000-000000000001', '0199aaaa-1111-7000-8000-000000000101'].map(ids);
  t.equal(new Set([...(one ?? []), ...(two ?? [])]).size, 4);
  t.same(ids('0199aaaa-1111-7000-8000-000000000001'), one, 'the same again');
  for (const id of one ?? []) t.match(id, /^[A-Za-z0-9_]{1,40}$/, 'as every provider takes them');
});
