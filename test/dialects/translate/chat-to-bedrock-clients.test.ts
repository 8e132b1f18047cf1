import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import t from 'tap';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import { allRecordings, cutAt, NO_RECORDINGS, type Recording } from '../recordings.js';
import { ask } from './converse-calls.js';
import { piped } from './converse-streams.js';

const recordings = allRecordings().filter(({ wire, status }) => wire === 'bedrock-converse' && status === 200);

/** The recorded answer as a chat client would get it. */
function answered(recording: Recording): Response {
  const { streamed, bytes } = recording;
  const body = streamed ? null : ask({}).answer(JSON.parse(bytes.toString('utf8')) as JsonObject);
  const text = body === null ? piped(cutAt(bytes, [bytes.length >> 1])).text : JSON.stringify(body);
  return new Response(text, { headers: { 'content-type': streamed ? 'text/event-stream' : 'application/json' } });
}

function wholeOf(recording: Recording): JsonObject {
  return ask({}).answer(JSON.parse(recording.bytes.toString('utf8')) as JsonObject);
}

function namesOf(message: JsonObject | null): readonly string[] {
  return listIn(message, 'tool_calls').map((call) => stringIn(objectIn(call, 'function'), 'name') ?? '');
}

t.test('OpenAI’s client reads every recording', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of recordings) {
    const client = new OpenAI({
      apiKey: 'x',
      baseURL: 'http://gateway.test/v1',
      maxRetries: 0,
      fetch: async () => answered(recording),
    });
    const asked = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }] };
    const read = recording.streamed
      ? await client.chat.completions
          .stream({ ...asked, stream_options: { include_usage: true } })
          .finalChatCompletion()
      : await client.chat.completions.create(asked);
    const [choice] = read.choices;
    t.ok(choice !== undefined && choice.finish_reason !== null, recording.id);
    t.equal(
      read.usage?.completion_tokens ?? null,
      recording.usage === null ? null : Number(recording.usage['outputTokens']),
      recording.id,
    );
    for (const call of choice?.message.tool_calls ?? [])
      t.ok(call.type === 'function' && isObject(JSON.parse(call.function.arguments)), `${recording.id}: arguments`);
    if (!recording.streamed)
      t.same(
        namesOf(choice?.message as unknown as JsonObject),
        namesOf(objectIn(listIn(wholeOf(recording), 'choices')[0], 'message')),
      );
  }
});

t.test('Vercel’s clients read every recording', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of recordings) {
    const settings = { apiKey: 'x', baseURL: 'http://gateway.test/v1', fetch: async () => answered(recording) };
    const models = [
      createOpenAI(settings).chat('m'),
      createOpenAICompatible({ ...settings, name: 'gateway' }).chatModel('m'),
    ];
    for (const model of models) {
      const errors: unknown[] = [];
      const asked = { model, prompt: 'Hi', maxRetries: 0 };
      const read = recording.streamed
        ? streamText({ ...asked, onError: ({ error }) => void errors.push(error) })
        : await generateText(asked);
      t.ok((await read.finishReason) !== 'error', recording.id);
      if (recording.usage !== null)
        t.equal((await read.usage).outputTokens, recording.usage['outputTokens'], recording.id);
      t.same(errors, [], recording.id);
    }
  }
});
