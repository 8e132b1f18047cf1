import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GoogleGenAI } from '@google/genai';
import fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../../src/dialects/error.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import { isObject, type JsonObject, listIn, objectIn } from '../../../src/dialects/json-value.js';
import { normaliseUsage } from '../../../src/dialects/openai-usage.js';
import { chatToGemini } from '../../../src/dialects/translate/chat-to-gemini/pair.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { geminiToChat } from '../../../src/dialects/translate/gemini-to-chat/pair.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { problemsOf } from '../../schemas/openai-schema.js';
import { allRecordings, cuttings, NO_RECORDINGS, openaiRecordings, type Recording } from '../recordings.js';
import { contextFor, goldensOf, streamed } from './gemini-goldens.js';

const REQUEST = {
  contents: [{ role: 'user', parts: [{ text: 'x' }] }],
  generationConfig: { thinkingConfig: { includeThoughts: true } },
};

t.test('goldens', async (t) => {
  for (const [name, wanted, found] of goldensOf('gemini-to-chat', geminiToChat)) {
    t.strictSame(found, wanted, name);
    const { expected, context, read, written } = found;
    if (expected && !('error' in expected) && context?.extended !== true)
      t.same(problemsOf('CreateChatCompletionRequest', expected), [], name);
    if (read) t.same(grammar([read]), [], name);
    if (written && !found.cut) t.same(grammar(written), [], name);
  }
});

/** Each chunk is an answer by itself; every candidate ends once, and only the last chunk states the usage. */
function grammar(written: readonly unknown[]): readonly string[] {
  const problems: string[] = [];
  const finished = new Set<unknown>();
  const seen = new Set<unknown>();
  for (const [at, chunk] of written.entries()) {
    const candidates = listIn(chunk, 'candidates').filter(isObject);
    if (candidates.length === 0) problems.push(`${at}: has no candidate`);
    if (objectIn(chunk, 'usageMetadata') !== null && at < written.length - 1)
      problems.push(`${at}: usage before the end`);
    for (const candidate of candidates) {
      const { index } = candidate;
      const content = objectIn(candidate, 'content');
      const parts = listIn(content, 'parts').filter(isObject);
      if (content?.['role'] !== 'model' || parts.length === 0) problems.push(`${at}: has no content`);
      if (parts.some((part) => !('text' in part || 'functionCall' in part || 'inlineData' in part)))
        problems.push(`${at}: an empty part`);
      for (const part of parts) {
        const call = objectIn(part, 'functionCall');
        if (call !== null && !(typeof call['name'] === 'string' && isObject(call['args'])))
          problems.push(`${at}: half a call`);
      }
      if (finished.has(index)) problems.push(`${at}: goes on after its end`);
      seen.add(index);
      if (candidate['finishReason'] !== undefined) finished.add(index);
    }
  }
  return finished.size === seen.size ? problems : [...problems, 'a candidate does not end'];
}

interface Read {
  readonly events: readonly JsonObject[];
  readonly done: boolean;
}

function eventsOf(chunks: readonly Buffer[]): Read {
  const events: JsonObject[] = [];
  let done = false;
  const handler = {
    event: (_type: string, data: JsonObject) => void events.push(data),
    done: () => {
      done = true;
    },
    fault: () => {},
    skipped: () => {},
  };
  const decoder = createEventDecoder('sse', handler);
  for (const chunk of chunks) decoder.push(Buffer.from(chunk));
  decoder.end();
  return { events, done };
}

const recordings = openaiRecordings().filter(
  ({ wire, status, features }) => wire === 'openai-chat' && status === 200 && !features.includes('error-in-stream'),
);

/** What a client of Google's would be sent for a recorded answer. */
function translated({ bytes, streamed: isStream }: Recording, chunks: readonly Buffer[]): readonly unknown[] {
  const call = geminiToChat.prepare(REQUEST, contextFor({ model: 'm', stream: isStream }));
  if (!isStream) {
    const body: unknown = JSON.parse(bytes.toString());
    return [call.answer((Array.isArray(body) ? body[0] : body) as JsonObject)];
  }
  const { events, done } = eventsOf(chunks);
  return streamed(call, events, done);
}

t.test('every recorded chat is an answer of Google’s, however it is cut', { skip: NO_RECORDINGS }, async (t) => {
  t.ok(recordings.length >= 80, 'there are recordings');
  for (const recording of recordings) {
    const { id, bytes, usage, finishReason } = recording;
    const cuts = recording.streamed ? cuttings(bytes) : [[bytes]];
    const [first, ...others] = cuts.map((chunks) => translated(recording, chunks));
    if (first === undefined) throw new Error('no cutting');
    for (const other of others) t.strictSame(other, first, `${id}: same for every cutting`);
    t.same(grammar(first), [], id);
    const normal = usage === null ? null : normaliseUsage(usage);
    const metadata = objectIn(first.at(-1), 'usageMetadata');
    if (normal !== null) {
      t.equal(metadata?.['thoughtsTokenCount'] ?? 0, normal.reasoning, `${id}: thoughts`);
      t.equal(metadata?.['candidatesTokenCount'], normal.output + normal.output_audio, `${id}: output`);
    }
    if (/^(?:stop|tool_calls)$/.test(String(finishReason)))
      t.equal(listIn(first.at(-1), 'candidates').map((each) => isObject(each) && each['finishReason'])[0], 'STOP', id);
  }
});

t.test('Google’s own client reads them', { skip: NO_RECORDINGS }, async (t) => {
  let answer: { readonly type: string; readonly text: string } = { type: '', text: '' };
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': answer.type });
    response.end(answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { models } = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl } });
  const asked = { model: 'm', contents: 'x' };
  for (const recording of recordings) {
    const written = translated(recording, [recording.bytes]) as JsonObject[];
    const expected = written.flatMap((chunk) => textsOf(chunk)).join('');
    let read = '';
    let calls = 0;
    if (recording.streamed) {
      const framing = createClientFraming('gemini-generate', false);
      for (const chunk of written) framing.event('', chunk);
      answer = { type: 'text/event-stream', text: framing.take() };
      for await (const chunk of await models.generateContentStream(asked)) {
        read +=
          chunk.candidates?.[0]?.content?.parts?.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join('') ??
          '';
        calls += chunk.functionCalls?.length ?? 0;
      }
    } else {
      answer = { type: 'application/json', text: JSON.stringify(written[0]) };
      const whole = await models.generateContent(asked);
      read =
        whole.candidates?.[0]?.content?.parts?.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join('') ?? '';
      calls = whole.functionCalls?.length ?? 0;
    }
    t.equal(read, expected, recording.id);
    t.equal(calls, JSON.stringify(written).split('"functionCall":').length - 1, `${recording.id}: calls`);
  }
});

/** Texts of the first candidate, without thoughts. */
function textsOf(chunk: JsonObject): string[] {
  const content = objectIn(listIn(chunk, 'candidates')[0], 'content');
  return listIn(content, 'parts').map((part) =>
    isObject(part) && part['thought'] !== true ? String(part['text'] ?? '') : '',
  );
}

t.test('nothing that a provider sends makes it throw', async () => {
  const names =
    'id model choices delta message content role tool_calls function name arguments index finish_reason reasoning_content thinking_blocks signature usage prompt_tokens completion_tokens images image_url url annotations url_citation logprobs token top_logprobs extra_content google thought_signature text type';
  const key = fc.constantFrom(...names.split(' '));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, true, 'stop', '{}', '', -1, 1e300, 0.5, 1),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  const message = fc.dictionary(key, value, { noNullPrototype: true });
  const choice = fc.record(
    { index: value, delta: message, message, finish_reason: value, logprobs: value },
    { requiredKeys: [], noNullPrototype: true },
  );
  const event = fc.record(
    {
      id: value,
      model: value,
      choices: fc.oneof(fc.array(fc.oneof(choice, value), { maxLength: 3 }), value),
      usage: value,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), fc.boolean(), fc.boolean(), (events, done, extended) => {
      const call = geminiToChat.prepare(REQUEST, contextFor({ stream: true, extended }));
      const written = streamed(call, events as JsonObject[], done);
      for (const each of events) JSON.stringify(call.answer(each as JsonObject));
      return JSON.stringify(written).length > 0;
    }),
    { numRuns: 300 },
  );
});

t.test('a conversation goes through both translations unchanged', async (t) => {
  const request = {
    contents: [
      { role: 'user', parts: [{ text: 'See.' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }] },
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'look', args: { at: [1, { a: null }] } }, thoughtSignature: 'c2ln' },
          { functionCall: { name: 'look', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'look', response: { seen: 'a' } } },
          { functionResponse: { name: 'look', response: { output: 'b' } } },
        ],
      },
      { role: 'model', parts: [{ text: 'Two things.', thoughtSignature: 'bGFzdA==' }] },
      { role: 'user', parts: [{ text: 'Which?' }] },
    ],
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    tools: [
      { functionDeclarations: [{ name: 'look', description: 'Looks', parametersJsonSchema: { type: 'object' } }] },
    ],
    toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    generationConfig: {
      temperature: 1,
      topP: 0.5,
      topK: 3,
      maxOutputTokens: 9,
      stopSequences: ['a'],
      seed: 1,
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object' },
    },
  };
  const losses = new Losses();
  const front = geminiToChat.prepare(request, contextFor({ extended: true, losses }));
  const back = chatToGemini.prepare(front.body, contextFor({ model: 'gemini-3-pro-preview', losses }));
  t.same(back.body, request);
  t.same(losses.dropped, []);
});

t.test('trap 27: calls without an id get one that Mistral takes', async (t) => {
  const contents = [
    { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'f', response: {} } }] },
  ];
  const { body } = geminiToChat.prepare({ contents }, contextFor());
  const [call, result] = listIn(body, 'messages').filter(isObject);
  const id = listIn(call, 'tool_calls').map((each) => isObject(each) && each['id'])[0];
  t.match(id, /^[a-zA-Z0-9]{9}$/);
  t.equal(result?.['tool_call_id'], id);
});

t.test('an error is told in Google’s words, and ends the stream', async (t) => {
  const call = geminiToChat.prepare(REQUEST, contextFor({ stream: true }));
  const chunk = { choices: [{ index: 0, delta: { content: 'a' } }] };
  t.match(streamed(call, [chunk]).at(-1), { error: { code: 502, status: 'INTERNAL' } });
  const broken = { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] };
  t.match(streamed(call, [chunk, broken], true).at(-1), { error: {} }, 'the provider gave up');
  t.match(streamed(call, [], true), [{ error: {} }], 'nothing came at all');
});

t.test('the history of Google’s client is one turn', async (t) => {
  const model = (...parts: object[]) => ({ role: 'model', parts });
  const contents = [
    { role: 'user', parts: [{ text: 'x' }] },
    model({ text: 'a' }),
    model({ text: 'b' }),
    model({ functionCall: { id: 'c', name: 'f', args: {} } }),
    model({ text: '' }),
    { role: 'user', parts: [{ functionResponse: { id: 'c', name: 'f', response: { a: 1 } } }] },
  ];
  const { body } = geminiToChat.prepare({ contents }, contextFor());
  t.match(body['messages'], [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: 'ab', tool_calls: [{ id: 'c' }] },
    { role: 'tool', tool_call_id: 'c', content: '{"a":1}' },
  ]);
});

t.test(
  'every recorded request of Google’s is valid for OpenAI, or refused in words',
  { skip: NO_RECORDINGS },
  async (t) => {
    let valid = 0;
    for (const { id, wire, status, request } of allRecordings()) {
      if (wire !== 'gemini-generate' || status !== 200 || !isObject(request)) continue;
      const asked = (): JsonObject => geminiToChat.prepare(request, contextFor({ model: 'gpt-5', stream: true })).body;
      try {
        asked();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        t.equal(error.code, 'unsupported_parameter', id);
        continue;
      }
      valid += 1;
      t.same(problemsOf('CreateChatCompletionRequest', asked()), [], id);
    }
    t.ok(valid > 20, `most of them: ${valid}`);
  },
);
