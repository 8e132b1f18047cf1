import Anthropic from '@anthropic-ai/sdk';
import t from 'tap';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../../src/dialects/json-value.js';
import { normaliseUsage } from '../../../src/dialects/openai-usage.js';
import { anthropicUsage } from '../../../src/dialects/stated-usage.js';
import { checkMessage, readMessage } from '../message-grammar.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { callFor, callsOf, textOf, throughPipe } from './messages-calls.js';
import { eventsIn } from './messages-goldens.js';

const recordings = allRecordings().filter(({ wire, status }) => wire === 'openai-chat' && status === 200);

/** What the official client makes of a stream. */
async function byClient(bytes: Buffer) {
  const client = new Anthropic({
    apiKey: 'none',
    maxRetries: 0,
    fetch: async () => new Response(new Uint8Array(bytes), { headers: { 'content-type': 'text/event-stream' } }),
  });
  return client.messages
    .stream({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi.' }] })
    .finalMessage();
}

/** What a stream of chat chunks says, read without the code under test. */
function statedBy({ bytes }: Recording) {
  const said = { text: '', calls: [] as { id: string; name: string; arguments: string }[], usage: {} as JsonObject };
  for (const line of bytes.toString().split(/\r\n|\r|\n/)) {
    const chunk = line.startsWith('data: ') ? parseJson(line.slice(6)) : null;
    const choices = listIn(chunk, 'choices');
    const usage = objectIn(chunk, 'usage') ?? objectIn(objectIn(chunk, 'x_groq'), 'usage') ?? {};
    said.usage = { ...said.usage, ...usage };
    const choice = choices.find((each) => isObject(each) && each['index'] === 0);
    const delta = objectIn(choice, 'delta');
    said.text += stringIn(delta, 'content') ?? '';
    for (const part of listIn(delta, 'content')) said.text += stringIn(part, 'text') ?? '';
    for (const call of listIn(delta, 'tool_calls')) {
      const { name, arguments: piece } = objectIn(call, 'function') ?? {};
      // Novita repeats the name with every piece.
      const id = stringIn(call, 'id') ?? '';
      if (typeof name === 'string' && name !== '' && (id === '' || said.calls.at(-1)?.id !== id))
        said.calls.push({ id, name, arguments: '' });
      const last = said.calls.at(-1);
      if (last !== undefined && typeof piece === 'string') last.arguments += piece;
    }
  }
  return said;
}

t.test('every recorded stream', { skip: NO_RECORDINGS }, async (t) => {
  const streams = recordings.filter(({ streamed }) => streamed);
  t.ok(streams.length > 40, `${streams.length} streams`);
  for (const recording of streams) {
    const { id, bytes, features, finishReason } = recording;
    const written = throughPipe([bytes]);
    const { message, usageAtStart, error } = readMessage(eventsIn(written));
    t.ok(
      Number(usageAtStart['input_tokens']) + Number(usageAtStart['cache_read_input_tokens']) > 0,
      `${id}: trap 43: input at the start`,
    );
    t.equal(error !== null, features.includes('error-in-stream'), `${id}: an error only where the provider told one`);
    if (error !== null) {
      await t.rejects(byClient(written), `${id}: trap 40: the client hears of it`);
      continue;
    }
    const said = statedBy(recording);
    t.equal(textOf(message), said.text, `${id}: the same text`);
    const calls = callsOf(message);
    t.same(
      calls.map((call) => [call['name'], call['input']]),
      said.calls.map((call) => [call.name, parseJson(call.arguments || '{}')]),
      `${id}: the same calls`,
    );
    t.equal(
      message['stop_reason'],
      finishReason === 'length' ? 'max_tokens' : calls.length > 0 ? 'tool_use' : 'end_turn',
      `${id}: its end`,
    );
    const usage = normaliseUsage(said.usage);
    if (usage !== null)
      t.same(message['usage'], anthropicUsage(usage), `${id}: traps 4, 11, 13: the last usage, not a sum`);
    const read = await byClient(written);
    t.same(
      read.content.map(({ type }) => type),
      listIn(message, 'content').map((block) => stringIn(block, 'type')),
      `${id}: the client reads the same`,
    );
    t.same(
      read.content.filter(({ type }) => type === 'tool_use').map((block) => block.type === 'tool_use' && block.input),
      calls.map((call) => call['input']),
      `${id}: and the same arguments`,
    );
    t.equal(read.usage.output_tokens, objectIn(message, 'usage')?.['output_tokens'], `${id}: and the same usage`);
  }
});

t.test('every cutting of a stream gives the same bytes', { skip: NO_RECORDINGS }, async (t) => {
  const kinds = [
    'parallel-tool-calls',
    'content-array-delta',
    'comment-lines',
    'usage-in-many-chunks',
    'empty-choices-first',
  ];
  for (const kind of [...kinds, 'crlf', 'error-in-stream']) {
    const recording = recordings.find(({ streamed, features }) => streamed && features.includes(kind));
    if (recording === undefined) continue;
    const [whole = [], ...others] = cuttings(recording.bytes);
    const expected = throughPipe(whole).toString();
    for (const chunks of others) t.equal(throughPipe(chunks).toString(), expected, `${recording.id}: ${kind}`);
  }
});

t.test('every recorded whole answer', { skip: NO_RECORDINGS }, async (t) => {
  const whole = recordings.filter(({ streamed }) => !streamed);
  t.ok(whole.length > 50, `${whole.length} answers`);
  for (const { id, bytes, finishReason } of whole) {
    const body = parseJson(bytes.toString()) as JsonObject;
    const message = callFor({ stream: false }).answer(body);
    t.doesNotThrow(() => checkMessage(message), id);
    const said = objectIn(listIn(body, 'choices')[0], 'message');
    const calls = listIn(said, 'tool_calls');
    t.equal(callsOf(message).length, calls.length, `${id}: every call`);
    const text = stringIn(said, 'content');
    if (text !== null && stringIn(said, 'refusal') === null) t.equal(textOf(message), text, `${id}: the text`);
    if (finishReason === 'length') t.equal(message['stop_reason'], 'max_tokens', id);
    const usage = normaliseUsage(objectIn(body, 'usage') ?? {});
    if (usage !== null) t.same(message['usage'], anthropicUsage(usage), `${id}: its usage`);
  }
});
