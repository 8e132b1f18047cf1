import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream.mjs';
import t from 'tap';
import { type Framing, framingOf } from '../../../src/dialects/event-decoder.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import { normaliseGeminiUsage } from '../../../src/dialects/gemini/usage.js';
import { isObject, type JsonObject, listIn, objectIn } from '../../../src/dialects/json-value.js';
import { chatToGemini } from '../../../src/dialects/translate/chat-to-gemini/pair.js';
import { geminiRequest } from '../../schemas/gemini-request.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { assertRequest } from '../../schemas/request-rules.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { contextFor, goldensOf, streamed } from './gemini-goldens.js';

const QUESTION = { role: 'user', content: 'x' };

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

t.test('trap 25: an answer that calls functions ends with tool_calls', async (t) => {
  const chunk = (part: object, more: object = {}) => ({ candidates: [{ content: { parts: [part] }, ...more }] });
  const events = [chunk({ functionCall: { name: 'f', args: {} } }), chunk({ text: '' }, { finishReason: 'STOP' })];
  const call = chatToGemini.prepare({ messages: [QUESTION] }, contextFor({ stream: true }));
  t.match(streamed(call, events).at(-2), { choices: [{ finish_reason: 'tool_calls' }] });
  const whole = chunk({ functionCall: { name: 'f', args: {} } }, { finishReason: 'STOP' });
  t.match(call.answer(whole), { choices: [{ finish_reason: 'tool_calls' }] });
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
