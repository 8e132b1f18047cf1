import { anthropicRequest } from '../schemas/anthropic-request.js';
import { type Json, piecesOf, type Speaker, type Turn } from './script.js';

const USAGE = { input_tokens: 11, output_tokens: 7 };

/** Anthropic's Messages. */
export const anthropicSpeaker: Speaker = {
  faults(body) {
    const result = anthropicRequest.safeParse(body);
    return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  },
  seen(body: Json) {
    const blocks: Json[] = body.messages.flatMap(({ content }: Json) => (Array.isArray(content) ? content : []));
    const results = blocks.filter(({ type }) => type === 'tool_result');
    const inside: Json[] = results.flatMap(({ content }) => (Array.isArray(content) ? content : []));
    return {
      calls: blocks
        .filter(({ type }) => type === 'tool_use')
        .map(({ id, name, input }) => ({ id, name, arguments: input })),
      results: results.map(({ tool_use_id: id, content }) => ({ id, text: textOf(content) })),
      signatures: blocks.filter(({ type }) => type === 'thinking').map(({ signature }) => signature),
      images: [...blocks, ...inside].filter(({ type }) => type === 'image').map(({ source }) => source.data),
    };
  },
  whole: (turn) => ({ ...message(turn), content: blocksOf(turn), stop_reason: stopReason(turn), usage: USAGE }),
  stream: (turn) => ({ type: 'text/event-stream', pieces: [...events(turn)].map(written) }),
  refusal: (text) => ({ type: 'error', error: { type: 'invalid_request_error', message: text } }),
};

function textOf(content: Json): string {
  return typeof content === 'string' ? content : content.map(({ text = '' }: Json) => text).join('');
}

function message(turn: Turn) {
  const id = `msg_${turn.calls[0]?.id ?? 'last'}`;
  const ends = { stop_reason: null, stop_sequence: null };
  return { id, type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [], ...ends, usage: USAGE };
}

function stopReason({ calls }: Turn): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}

function blocksOf({ thought, text, calls }: Turn): Json[] {
  return [
    ...(thought === null ? [] : [{ type: 'thinking', thinking: thought.text, signature: thought.signature }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map((call) => ({ type: 'tool_use', id: call.id, name: call.name, input: call.arguments })),
  ];
}

function* events(turn: Turn): Generator<Json> {
  yield { type: 'message_start', message: message(turn) };
  for (const [index, block] of blocksOf(turn).entries()) {
    const [empty, deltas] = DELTAS[block.type]?.(block) ?? [block, []];
    yield { type: 'content_block_start', index, content_block: empty };
    for (const delta of deltas) yield { type: 'content_block_delta', index, delta };
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: { stop_reason: stopReason(turn), stop_sequence: null }, usage: USAGE };
  yield { type: 'message_stop' };
}

const DELTAS: Readonly<Record<string, (block: Json) => readonly [empty: Json, deltas: readonly Json[]]>> = {
  thinking: ({ thinking, signature }) => [
    { type: 'thinking', thinking: '', signature: '' },
    [
      ...piecesOf(thinking).map((text) => ({ type: 'thinking_delta', thinking: text })),
      { type: 'signature_delta', signature },
    ],
  ],
  text: ({ text }) => [
    { type: 'text', text: '' },
    piecesOf(text).map((piece) => ({ type: 'text_delta', text: piece })),
  ],
  // Calls without arguments get one empty piece.
  tool_use: ({ id, name, input }) => [
    { type: 'tool_use', id, name, input: {} },
    (Object.keys(input).length === 0 ? [''] : piecesOf(JSON.stringify(input))).map((piece) => ({
      type: 'input_json_delta',
      partial_json: piece,
    })),
  ],
};

function written(event: Json): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
