import type { Test } from 'tap';
import { encodeFrame, type FrameHeader } from '../../../src/codec/aws-event-stream.js';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../../src/dialects/json-value.js';
import { createFold } from '../../../src/dialects/readers.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { TranslatingStream } from '../../../src/dialects/translate/translating-stream.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { ask, type ConverseEvent, SONNET, type Written } from './converse-calls.js';

export const START: ConverseEvent = ['messageStart', { role: 'assistant' }];
export const STOP: ConverseEvent = ['messageStop', { stopReason: 'end_turn' }];
export const USAGE: ConverseEvent = [
  'metadata',
  { usage: { inputTokens: 3, outputTokens: 2, cacheReadInputTokens: 4, totalTokens: 9 } },
];

export function delta(contentBlockIndex: number, content: JsonObject): ConverseEvent {
  return ['contentBlockDelta', { contentBlockIndex, delta: content }];
}

export function tool(contentBlockIndex: number, name: string, id = `t${contentBlockIndex}`): ConverseEvent {
  return ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: id, name } } }];
}

export function stop(contentBlockIndex: number): ConverseEvent {
  return ['contentBlockStop', { contentBlockIndex }];
}

function deltas({ chunks }: Written): JsonObject[] {
  return chunks.flatMap((chunk) => listIn(chunk, 'choices').map((choice) => objectIn(choice, 'delta') ?? {}));
}

/** The arguments of each call, put together by index as every client does. */
export function callsOf(written: Written): string[] {
  const calls: string[] = [];
  for (const each of deltas(written).flatMap((one) => listIn(one, 'tool_calls'))) {
    const index = isObject(each) ? Number(each['index']) : -1;
    calls[index] = (calls[index] ?? '') + (stringIn(objectIn(each, 'function'), 'arguments') ?? '');
  }
  return calls;
}

export function textOf(written: Written, member: string): string {
  return deltas(written)
    .map((each) => stringIn(each, member) ?? '')
    .join('');
}

export function finishOf({ chunks }: Written): unknown {
  return chunks
    .flatMap((chunk) => listIn(chunk, 'choices'))
    .map((choice) => isObject(choice) && choice['finish_reason'])
    .findLast(Boolean);
}

export function frames(events: readonly ConverseEvent[]): Buffer {
  const encode = ([type, data]: ConverseEvent) => {
    const exception = type.endsWith('Exception');
    const headers: [string, FrameHeader][] = [
      [':message-type', { type: 'string', value: exception ? 'exception' : 'event' }],
      [exception ? ':exception-type' : ':event-type', { type: 'string', value: type }],
    ];
    return encodeFrame(new Map(headers), Buffer.from(JSON.stringify(data)));
  };
  return Buffer.concat(events.map(encode));
}

/** The client's bytes for the provider's, through the pipe that the gateway uses. */
export function piped(chunks: readonly Buffer[], includeUsage = true): { text: string; stream: TranslatingStream } {
  const stream = new TranslatingStream({
    framing: 'aws-event-stream',
    fold: createFold('bedrock-converse'),
    translator: ask({}, SONNET, { includeUsage, stream: true }).stream(),
    client: createClientFraming('openai-chat', false),
  });
  const pieces = chunks.map((chunk) => {
    const own = Buffer.from(chunk);
    const piece = stream.push(own);
    own.fill(0x7e);
    return piece;
  });
  return { text: Buffer.concat([...pieces, stream.end()]).toString('utf8'), stream };
}

export function checkGrammar(t: Test, text: string, name: string): void {
  const events = text
    .trimEnd()
    .split('\n\n')
    .map((event) => event.slice('data: '.length));
  t.equal(events.at(-1), '[DONE]', `${name}: ends`);
  const chunks = events.slice(0, -1).map((event) => parseJson(event));
  for (const chunk of chunks) assertValid('CreateChatCompletionStreamResponse', chunk);
  const choices = chunks.flatMap((chunk) => listIn(chunk, 'choices')).filter(isObject);
  t.strictSame(
    choices.map((choice) => objectIn(choice, 'delta')?.['role']).filter(Boolean),
    ['assistant'],
    `${name}: one role`,
  );
  t.equal(objectIn(choices[0], 'delta')?.['role'], 'assistant', `${name}: first`);
  t.strictSame(
    choices.filter((choice) => choice['finish_reason'] !== null),
    choices.slice(-1),
    `${name}: one finish, last`,
  );
  const calls = choices.flatMap((choice) => listIn(objectIn(choice, 'delta'), 'tool_calls'));
  const begun = calls.filter((call) => isObject(call) && 'id' in call).map((call) => isObject(call) && call['index']);
  t.strictSame(
    begun,
    begun.map((_, index) => index),
    `${name}: calls begin in order`,
  );
}
