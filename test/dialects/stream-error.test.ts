import t from 'tap';
import type { Wire } from '../../src/dialects/endpoint.js';
import type { Framing } from '../../src/dialects/event-decoder.js';
import { createEventDecoder } from '../../src/dialects/event-decoders.js';
import { errorEvent, hasTerminal, streamError } from '../../src/dialects/stream-error.js';

/** What a reader of the stream is told: events with an `error`, and faults. */
function told(framing: Framing, bytes: Buffer): unknown[] {
  const all: unknown[] = [];
  const decoder = createEventDecoder(framing, {
    event: (type, data) => void all.push({ type, data }),
    done: () => void all.push('done'),
    fault: (fault) => void all.push(fault),
    skipped: () => void all.push('skipped'),
  });
  decoder.push(bytes);
  t.equal(decoder.end(), true, 'the last event is whole');
  return all;
}

t.test('wires with an end of their own', async (t) => {
  const ending: readonly Wire[] = [
    'openai-chat',
    'openai-completions',
    'openai-responses',
    'anthropic-messages',
    'gemini-generate',
    'bedrock-converse',
  ];
  for (const wire of ending) t.equal(hasTerminal(wire), true, wire);
  for (const wire of ['openai-embeddings', 'openai-speech', 'anthropic-count-tokens', 'rerank', 'raw'] as const)
    t.equal(hasTerminal(wire), false, wire);
});

t.test('the error of every wire, also behind an event that was cut', async (t) => {
  const text = (wire: Wire) => streamError(wire, 'a "bad"\nend').toString();
  t.equal(
    text('openai-chat'),
    '\n\ndata: {"error":{"message":"a \\"bad\\"\\nend","type":"api_error","param":null,"code":"provider_error"}}\n\n',
  );
  t.equal(
    text('openai-responses'),
    '\n\nevent: error\ndata: {"type":"error","code":"provider_error","message":"a \\"bad\\"\\nend","param":null,"sequence_number":0}\n\n',
  );
  t.equal(
    text('anthropic-messages'),
    '\n\nevent: error\ndata: {"type":"error","error":{"type":"api_error","message":"a \\"bad\\"\\nend"}}\n\n',
  );
  t.equal(
    text('gemini-generate'),
    '\r\n\r\ndata: {"error":{"code":502,"message":"a \\"bad\\"\\nend","status":"UNAVAILABLE"}}\r\n\r\n',
  );
  for (const wire of ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini-generate'] as const) {
    const cut = Buffer.concat([Buffer.from('data: {"text":"ab'), streamError(wire, 'm')]);
    const events = told('sse', cut);
    t.equal(events.length, 2, `${wire}: ${JSON.stringify(events)}`);
    t.equal(events[0], 'skipped', wire);
    t.match(JSON.stringify(events[1]), /"message":"m"/, wire);
    t.notMatch(streamError(wire, 'm').toString(), /DONE/);
  }
});

t.test('AWS gets an exception frame', async (t) => {
  t.strictSame(told('aws-event-stream', streamError('bedrock-converse', 'm')), [
    { message: 'm', code: 'modelStreamErrorException' },
  ]);
});

t.test('errors as events keep what kind they are', async (t) => {
  const limited = { message: 'm', code: 'provider_rate_limited', status: 429 };
  t.match(errorEvent('openai-chat', limited).data, {
    error: { type: 'rate_limit_error', code: 'provider_rate_limited' },
  });
  t.match(errorEvent('anthropic-messages', limited), { type: 'error', data: { error: { type: 'rate_limit_error' } } });
  t.match(errorEvent('gemini-generate', limited).data, { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } });
  const full = { message: 'm', code: 'provider_error', status: 503 };
  t.match(errorEvent('anthropic-messages', full).data, { error: { type: 'overloaded_error' } });
});
