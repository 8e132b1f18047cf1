import t from 'tap';
import { listIn, objectIn, stringIn } from '../../src/dialects/json-value.js';
import { readMessage } from '../dialects/message-grammar.js';
import { checkResponseEvents, lastResponse, type ResponseEvent } from '../dialects/response-grammar.js';
import {
  CLAUDE_CODE_HEADERS,
  claudeCodeRequest,
  FIRST_TURN,
  TITLE_REQUEST,
} from '../dialects/translate/claude-code-requests.js';
import { codexRequest, outputsOf, PATCH } from '../dialects/translate/codex-requests.js';
import { problemsOf } from '../schemas/openai-schema.js';
import type { ScriptedCall, Turn } from '../strict-provider/script.js';
import { startStrictProvider } from '../strict-provider/strict-provider.js';
import { replayProviders } from './dialects/replay-providers.js';
import { type Gateway, startGateway } from './harness.js';

// What Claude Code and Codex send, through the gateway to providers that are not theirs: streamed, two turns.

const SIGNATURE = 'c2lnbmF0dXJlIG9mIHRoZSB0aG91Z2h0';
const CLAUDE_CODE_AT: Readonly<Record<string, string>> = {
  moonshot: 'kimi-k3',
  gemini: 'gemini-3-pro-preview',
  // Claude itself is asked there in its own dialect.
  bedrock: 'us.amazon.nova-2-lite-v1:0',
};
const CODEX_AT: Readonly<Record<string, string>> = {
  moonshot: 'kimi-k3',
  gemini: 'gemini-3-pro-preview',
  bedrock: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  anthropic: 'claude-sonnet-4-5',
};
/** Who signs thoughts, and wants them back. */
const SIGNING = /gemini|claude/;

function script(first: ScriptedCall, second: ScriptedCall): readonly Turn[] {
  const thought = { text: 'Look first.', signature: SIGNATURE };
  return [
    { thought, text: 'One moment.', calls: [first, second] },
    { thought: null, text: 'Two fail – schade.', calls: [] },
  ];
}

function eventsIn(text: string): readonly ResponseEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const [, type = '', data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
    return data === undefined ? [] : [{ type, data: JSON.parse(data) }];
  });
}

async function streamed(
  gateway: Gateway,
  path: string,
  body: unknown,
  headers = {},
): Promise<readonly ResponseEvent[]> {
  const answer = await gateway.post(path, body, headers);
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
  return eventsIn(answer.text);
}

t.test('coding agents', { timeout: 120_000 }, async (t) => {
  const provider = await startStrictProvider();
  t.teardown(() => provider.close());
  const gateway = await startGateway(t, {
    config: { providers: replayProviders(Object.keys(CODEX_AT), provider.port) },
  });

  for (const [kind, model] of Object.entries(CLAUDE_CODE_AT)) {
    t.test(`Claude Code at ${kind}`, async (t) => {
      const turns = script(
        { id: 'call_1', name: 'Bash', arguments: { command: 'npm test -- "Größe"' } },
        { id: 'call_2', name: 'Read', arguments: { file_path: '/a.ts' } },
      );
      provider.play(turns);
      const ask = async (messages: Parameters<typeof claudeCodeRequest>[0]) => {
        const body = { ...claudeCodeRequest(messages), model: `${kind}/${model}` };
        return readMessage(await streamed(gateway, '/v1/messages?beta=true', body, CLAUDE_CODE_HEADERS));
      };
      const first = await ask([FIRST_TURN]);
      t.equal(first.message['stop_reason'], 'tool_use');
      const content = listIn(first.message, 'content');
      const calls = content.filter((block) => stringIn(block, 'type') === 'tool_use');
      t.match(
        calls,
        turns[0]?.calls.map((call) => ({ name: call.name, input: call.arguments })),
      );
      const results = calls.map((call) => ({
        type: 'tool_result',
        tool_use_id: stringIn(call, 'id'),
        content: `result of ${stringIn(call, 'name')}`,
      }));
      const second = await ask([FIRST_TURN, { role: 'assistant', content }, { role: 'user', content: results }]);
      t.match(second.message, { stop_reason: 'end_turn', content: [{ type: 'text', text: 'Two fail – schade.' }] });
      t.same(provider.faults, [], 'valid requests');
      const seen = provider.seen.at(-1);
      t.match(
        seen?.calls,
        turns[0]?.calls.map(({ id, ...call }) => (kind === 'gemini' ? call : { id, ...call })),
      );
      t.same(
        seen?.results.map(({ text }) => text),
        ['result of Bash', 'result of Read'],
      );
      if (SIGNING.test(model)) t.same(seen?.signatures, [SIGNATURE], 'the signature came back');
    });

    t.test(`the title of a session of Claude Code at ${kind}`, async (t) => {
      provider.play([{ thought: null, text: '{"title":"Failing tests"}', calls: [] }]);
      const body = { ...TITLE_REQUEST, model: `${kind}/${model}` };
      const { message } = readMessage(await streamed(gateway, '/v1/messages?beta=true', body, CLAUDE_CODE_HEADERS));
      t.same(provider.faults, []);
      t.match(message, { content: [{ text: '{"title":"Failing tests"}' }] });
    });
  }

  for (const [kind, model] of Object.entries(CODEX_AT)) {
    t.test(`Codex at ${kind}`, async (t) => {
      const turns = script(
        { id: 'call_list', name: 'exec_command', arguments: { cmd: 'ls' } },
        { id: 'call_patch', name: 'apply_patch', arguments: { input: PATCH } },
      );
      provider.play(turns);
      const ask = async (items: readonly unknown[]) => {
        const body = { ...codexRequest(items), model: `${kind}/${model}` };
        const events = await streamed(gateway, '/v1/responses', body);
        checkResponseEvents(events);
        t.same(
          events.flatMap(({ data }) => problemsOf('ResponseStreamEvent', data)),
          [],
        );
        return lastResponse(events);
      };
      const output = listIn(await ask([]), 'output');
      const calls = output.filter((item) => /call$/.test(stringIn(item, 'type') ?? ''));
      t.match(calls, [
        { type: 'function_call', name: 'exec_command', arguments: '{"cmd":"ls"}' },
        { type: 'custom_tool_call', name: 'apply_patch', input: PATCH },
      ]);
      const ids = calls.map((call) => stringIn(call, 'call_id') ?? '');
      const last = await ask([...output, ...outputsOf(ids)]);
      t.equal(last['status'], 'completed');
      t.equal(
        stringIn(listIn(objectIn({ of: listIn(last, 'output').at(-1) }, 'of'), 'content')[0], 'text'),
        'Two fail – schade.',
      );
      t.same(provider.faults, [], 'valid requests');
      const seen = provider.seen.at(-1);
      t.match(
        seen?.calls,
        turns[0]?.calls.map(({ id, ...call }) => (kind === 'gemini' ? call : { id, ...call })),
      );
      t.equal(seen?.results.length, 2);
      if (SIGNING.test(model)) t.same(seen?.signatures, [SIGNATURE], 'the signature came back');
    });
  }
});
