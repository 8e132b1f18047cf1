import { createOpenAI } from '@ai-sdk/openai';
import { streamText, tool } from 'ai';
import OpenAI from 'openai';
import t from 'tap';
import { z } from 'zod';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import { ChatFold } from '../../../src/dialects/openai-chat/fold.js';
import { emptyFacts } from '../../../src/dialects/response-reader.js';
import { responsesUsage } from '../../../src/dialects/stated-usage.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { responsesToChat } from '../../../src/dialects/translate/responses-to-chat/pair.js';
import { TranslatingStream } from '../../../src/dialects/translate/translating-stream.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { checkResponseEvents, lastResponse, type ResponseEvent } from '../response-grammar.js';
import { contextFor } from './responses-goldens.js';

const CHATS = allRecordings().filter(({ wire, status }) => wire === 'openai-chat' && status === 200);
const STREAMS = CHATS.filter(({ streamed }) => streamed);

function call(stream: boolean) {
  return responsesToChat.prepare({ model: 'smart', input: 'Hi', stream }, contextFor({ stream }));
}

/** The bytes that a client of Responses gets for a provider's. */
function translated(
  { bytes }: Recording,
  cut: readonly Buffer[] = [bytes],
): { readonly text: string; readonly stream: TranslatingStream } {
  const stream = new TranslatingStream({
    framing: 'sse',
    fold: new ChatFold(),
    translator: call(true).stream(),
    client: createClientFraming('openai-responses', false),
  });
  const written = [...cut.map((chunk) => stream.push(chunk)), stream.end()];
  return { text: Buffer.concat(written).toString(), stream };
}

function eventsOf(text: string): readonly ResponseEvent[] {
  const events = text.split('\n\n').filter((event) => event !== '');
  return events.map((event) => {
    const [name = '', data = ''] = event.split('\n');
    return { type: name.slice('event: '.length), data: JSON.parse(data.slice('data: '.length)) as JsonObject };
  });
}

/** A client's `fetch` that answers with these bytes. */
function answering(text: string, type: string): typeof fetch {
  return async () => new Response(text, { headers: { 'content-type': type } });
}

function sdk(text: string, type: string): OpenAI {
  return new OpenAI({ apiKey: 'sk-test', maxRetries: 0, fetch: answering(text, type) });
}

t.test('recorded answers as Responses', { skip: NO_RECORDINGS }, async (t) => {
  for (const { id, bytes } of CHATS.filter(({ streamed }) => !streamed)) {
    const body = JSON.parse(bytes.toString()) as JsonObject;
    const response = call(false).answer(body);
    t.doesNotThrow(() => assertValid('Response', response), id);
    const facts = emptyFacts();
    new ChatFold().body(body, facts);
    if (facts.usage !== null) t.same(response['usage'], responsesUsage(facts.usage), `${id}: usage as it is booked`);
    const read = await sdk(JSON.stringify(response), 'application/json').responses.create({ model: 'm', input: 'Hi' });
    const message = objectIn(listIn(body, 'choices')[0], 'message');
    if (typeof message?.['content'] === 'string') t.equal(read.output_text, message['content'], `${id}: the text`);
    const calls = read.output.filter((item) => item.type === 'function_call');
    t.equal(calls.length, listIn(message, 'tool_calls').length, `${id}: the calls`);
  }
});

/** Text of all choices of the first index, as the provider sent it. */
function sentText({ bytes }: Recording): string {
  const lines = bytes
    .toString()
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data: {'));
  const deltas = lines.map((line) => listIn(JSON.parse(line.slice(6)), 'choices').find(isFirst));
  return deltas.map((choice) => stringIn(objectIn(choice, 'delta'), 'content') ?? '').join('');
}

function isFirst(choice: unknown): boolean {
  return isObject(choice) && (choice['index'] ?? 0) === 0;
}

t.test('recorded streams as Responses', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of STREAMS) {
    const { id, features } = recording;
    const { text, stream } = translated(recording);
    const events = eventsOf(text);
    t.doesNotThrow(() => checkResponseEvents(events), id);
    for (const { data } of events) assertValid('ResponseStreamEvent', data);
    const last = lastResponse(events);
    const isBroken = features.includes('error-in-stream');
    t.equal(last['status'] === 'failed', isBroken, `${id}: fails where the provider did`);
    t.equal(stream.failed, isBroken, `${id}: the pipe knows`);
    const { usage } = stream.facts;
    if (usage !== null && !isBroken) t.same(last['usage'], responsesUsage(usage), `${id}: usage as it is booked`);
    if (isBroken) continue;
    const final = await sdk(text, 'text/event-stream').responses.stream({ model: 'm', input: 'Hi' }).finalResponse();
    t.same(JSON.parse(JSON.stringify(final.output)), parsed(last), `${id}: as the official client puts it together`);
    if (!features.includes('content-array-delta')) t.equal(final.output_text, sentText(recording), `${id}: the text`);
  }
});

/** The client adds a member for parsed arguments and texts. */
function parsed(response: JsonObject): unknown {
  const add = (value: unknown, name: string) => (isObject(value) ? { ...value, [name]: null } : value);
  return listIn(response, 'output').map((item) => {
    const type = stringIn(item, 'type');
    if (type === 'function_call') return add(item, 'parsed_arguments');
    if (type !== 'message' || !isObject(item)) return item;
    const content = listIn(item, 'content').map((part) =>
      stringIn(part, 'type') === 'output_text' ? add(part, 'parsed') : part,
    );
    return { ...item, content };
  });
}

t.test('a broken stream fails in the official client', { skip: NO_RECORDINGS }, async (t) => {
  const broken = STREAMS.filter(({ features }) => features.includes('error-in-stream'));
  t.ok(broken.length > 0);
  for (const recording of broken) {
    const { text } = translated(recording);
    t.notMatch(text, /response\.completed|\[DONE\]/, `trap 41: ${recording.id} does not look complete`);
    const final = await sdk(text, 'text/event-stream').responses.stream({ model: 'm', input: 'Hi' }).finalResponse();
    t.match(final, { status: 'failed', error: { code: /server_error|rate_limit_exceeded/, message: /./ } });
  }
});

t.test('however the bytes are cut', { skip: NO_RECORDINGS }, async (t) => {
  const shortest = STREAMS.filter(({ bytes }) => bytes.length < 20_000);
  for (const recording of shortest) {
    const whole = translated(recording).text;
    for (const cut of cuttings(recording.bytes)) t.ok(translated(recording, cut).text === whole, recording.id);
  }
});

t.test("Vercel's client reads every stream", { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of STREAMS) {
    const { text } = translated(recording);
    const openai = createOpenAI({ apiKey: 'sk-test', fetch: answering(text, 'text/event-stream') });
    const result = streamText({ model: openai.responses('gpt-5'), prompt: 'Hi', maxRetries: 0, onError: () => {} });
    const kinds = new Set<string>();
    for await (const part of result.fullStream) kinds.add(part.type);
    const isBroken = recording.features.includes('error-in-stream');
    t.equal(kinds.has('error'), isBroken, `${recording.id}: ${[...kinds].join(' ')}`);
    t.ok(isBroken || kinds.has('finish'), recording.id);
  }
});

t.test("Vercel's client calls tools over two turns", async (t) => {
  const bodies: JsonObject[] = [];
  const answers = [
    {
      content: null,
      reasoning_content: 'Hm.',
      tool_calls: [
        { index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
      ],
    },
    { content: 'Sunny.' },
  ];
  const openai = createOpenAI({
    apiKey: 'sk-test',
    fetch: async (_url, init) => {
      const request = JSON.parse(String(init?.body)) as JsonObject;
      const prepared = responsesToChat.prepare(request, contextFor({ stream: true, echoesReasoning: true }));
      const delta = answers[bodies.length] ?? {};
      bodies.push(prepared.body);
      const client = createClientFraming('openai-responses', false);
      const translator = prepared.stream();
      translator.event('', { model: 'm', choices: [{ index: 0, delta, finish_reason: 'stop' }] }, client);
      translator.done(client);
      return new Response(client.take(), { headers: { 'content-type': client.contentType } });
    },
  });
  const weather = tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `sun in ${city}` });
  const result = streamText({
    model: openai.responses('gpt-5'),
    prompt: 'Weather in Rome?',
    tools: { weather },
    providerOptions: { openai: { store: false } },
    stopWhen: ({ steps }) => steps.length === 2,
  });
  t.equal(await result.text, 'Sunny.');
  t.match(bodies[1], {
    messages: [
      { role: 'user' },
      {
        role: 'assistant',
        reasoning_content: 'Hm.',
        tool_calls: [{ id: 'call_a', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_a', content: 'sun in Rome' },
    ],
  });
});
