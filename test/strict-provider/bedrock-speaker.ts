import { EventStreamCodec } from '@smithy/eventstream-codec';
import { bedrockConverseRequest } from '../schemas/bedrock-request.js';
import { type Json, piecesOf, type Speaker, type Turn } from './script.js';

const USAGE = { inputTokens: 11, outputTokens: 7, totalTokens: 18 };
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString(),
  (text) => Buffer.from(text),
);

/** AWS' Converse and ConverseStream. */
export const bedrockSpeaker: Speaker = {
  faults(body) {
    const result = bedrockConverseRequest.safeParse(body);
    return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  },
  seen(body: Json) {
    const blocks: Json[] = body.messages.flatMap(({ content }: Json) => content);
    const results = blocks.flatMap(({ toolResult }) => toolResult ?? []);
    const inside: Json[] = results.flatMap(({ content }) => content);
    return {
      calls: blocks
        .flatMap(({ toolUse }) => toolUse ?? [])
        .map(({ toolUseId: id, name, input }) => ({ id, name, arguments: input })),
      results: results.map(({ toolUseId: id, content }) => ({
        id,
        text: content.map(({ text = '' }: Json) => text).join(''),
      })),
      signatures: blocks.flatMap(({ reasoningContent }) => reasoningContent?.reasoningText?.signature ?? []),
      images: [...blocks, ...inside].flatMap(({ image }) => image?.source.bytes ?? []),
    };
  },
  whole: (turn) => ({
    output: { message: { role: 'assistant', content: blocksOf(turn) } },
    stopReason: stopReason(turn),
    usage: USAGE,
    metrics: { latencyMs: 1 },
  }),
  stream: (turn) => ({
    type: 'application/vnd.amazon.eventstream',
    pieces: [...events(turn)].map(([type, data]) => frame(type, data)),
  }),
  refusal: (message) => ({ message }),
};

function stopReason({ calls }: Turn): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}

function blocksOf({ thought, text, calls }: Turn): Json[] {
  return [
    ...(thought === null ? [] : [{ reasoningContent: { reasoningText: thought } }]),
    ...(text === '' ? [] : [{ text }]),
    ...calls.map((call) => ({ toolUse: { toolUseId: call.id, name: call.name, input: call.arguments } })),
  ];
}

function* events(turn: Turn): Generator<readonly [type: string, data: Json]> {
  yield ['messageStart', { role: 'assistant' }];
  for (const [contentBlockIndex, block] of blocksOf(turn).entries()) {
    if (block.toolUse) {
      const { toolUseId, name } = block.toolUse;
      yield ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } }];
    }
    for (const delta of deltasOf(block)) yield ['contentBlockDelta', { contentBlockIndex, delta }];
    yield ['contentBlockStop', { contentBlockIndex }];
  }
  yield ['messageStop', { stopReason: stopReason(turn) }];
  yield ['metadata', { usage: USAGE, metrics: { latencyMs: 1 } }];
}

function deltasOf({ text, toolUse, reasoningContent }: Json): readonly Json[] {
  if (text !== undefined) return piecesOf(text).map((piece) => ({ text: piece }));
  if (toolUse !== undefined) {
    const input = Object.keys(toolUse.input).length === 0 ? '' : JSON.stringify(toolUse.input);
    return piecesOf(input).map((piece) => ({ toolUse: { input: piece } }));
  }
  const { text: thought, signature } = reasoningContent.reasoningText;
  const pieces = piecesOf(thought).map((piece) => ({ reasoningContent: { text: piece } }));
  return [...pieces, { reasoningContent: { signature } }];
}

function frame(type: string, data: Json): Uint8Array {
  const header = (value: string) => ({ type: 'string' as const, value });
  return codec.encode({
    headers: {
      ':event-type': header(type),
      ':content-type': header('application/json'),
      ':message-type': header('event'),
    },
    body: Buffer.from(JSON.stringify(data)),
  });
}
