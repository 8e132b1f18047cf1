import type { JsonObject } from '../../../src/dialects/json-value.js';
import type { Call, Conversation, Part, Settings, Tool, Turn } from './random-conversations.js';

/** The conversation as a client of OpenAI's chat completions sends it. */
export function asChat({ system, tools, turns, last, settings }: Conversation): JsonObject {
  return {
    model: settings.model,
    messages: [
      ...(system === null ? [] : [{ role: 'system', content: system }]),
      ...turns.flatMap((turn) => [{ role: 'user', content: turn.user.map(chatPart) }, ...chatTurn(turn)]),
      { role: 'user', content: last.map(chatPart) },
    ],
    ...stated({
      temperature: settings.temperature,
      top_p: settings.topP,
      max_completion_tokens: settings.maxTokens,
      stop: settings.stop.length === 0 ? null : settings.stop,
      reasoning_effort: settings.effort,
      user: settings.user,
      stream: settings.stream || null,
    }),
    ...(settings.schema === null
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: settings.schema } } }),
    ...chatTools(tools, settings),
  };
}

function chatTurn({ text, calls }: Turn): readonly JsonObject[] {
  const tool_calls = calls.map((call) => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  return [
    { role: 'assistant', content: text, ...(calls.length === 0 ? {} : { tool_calls }) },
    ...calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: call.output })),
  ];
}

function chatPart(part: Part): JsonObject {
  if ('text' in part) return { type: 'text', text: part.text };
  return { type: 'image_url', image_url: { url: urlOf(part) } };
}

function urlOf(part: Exclude<Part, { readonly text: string }>): string {
  return 'png' in part ? `data:image/png;base64,${part.png}` : part.link;
}

function chatTools(tools: readonly Tool[], { choice, parallel }: Settings): JsonObject {
  const [first] = tools;
  if (first === undefined) return {};
  const named = { type: 'function', function: { name: first.name } };
  return {
    tools: tools.map((tool) => ({ type: 'function', function: stated({ ...tool }) })),
    tool_choice: choice === 'named' ? named : choice,
    parallel_tool_calls: parallel,
  };
}

/** As a client of OpenAI's Responses sends it. */
export function asResponses({ system, tools, turns, last, settings }: Conversation): JsonObject {
  const [first] = tools;
  const { choice } = settings;
  return {
    model: settings.model,
    input: [...turns.flatMap((turn) => [userItem(turn.user), ...turnItems(turn)]), userItem(last)],
    ...stated({
      instructions: system,
      temperature: settings.temperature,
      top_p: settings.topP,
      max_output_tokens: settings.maxTokens,
      reasoning: settings.effort === null ? null : { effort: settings.effort },
      user: settings.user,
      stream: settings.stream || null,
    }),
    ...(settings.schema === null
      ? {}
      : { text: { format: { type: 'json_schema', name: 'answer', schema: settings.schema } } }),
    ...(first === undefined
      ? {}
      : {
          tools: tools.map((tool) => ({ type: 'function', strict: false, ...tool })),
          tool_choice: choice === 'named' ? { type: 'function', name: first.name } : choice,
          parallel_tool_calls: settings.parallel,
        }),
  };
}

function userItem(parts: readonly Part[]): JsonObject {
  const content = parts.map((part) =>
    'text' in part
      ? { type: 'input_text', text: part.text }
      : { type: 'input_image', image_url: urlOf(part), detail: 'auto' },
  );
  return { type: 'message', role: 'user', content };
}

function turnItems({ text, calls }: Turn): readonly JsonObject[] {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return [
    { type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content },
    ...calls.map(({ id, name, arguments: of }) => ({
      type: 'function_call',
      call_id: id,
      name,
      arguments: JSON.stringify(of),
    })),
    ...calls.map(({ id, output }) => ({ type: 'function_call_output', call_id: id, output })),
  ];
}

/** As a client of Anthropic's Messages sends it: no empty texts, and ids and names of its alphabet. */
export function asMessages(conversation: Conversation): JsonObject {
  const { system, tools, turns, last, settings } = conversation;
  return {
    model: settings.model,
    max_tokens: settings.maxTokens,
    messages: [...turns.flatMap((turn) => messagesTurn(turn)), { role: 'user', content: last.map(messagesPart) }],
    ...stated({
      system: system === null ? null : visible(system),
      temperature: settings.temperature === null ? null : Math.min(1, settings.temperature),
      top_p: settings.topP,
      stop_sequences: settings.stop.filter((text) => text.trim() !== ''),
      metadata: settings.user === null ? null : { user_id: settings.user },
      stream: settings.stream || null,
    }),
    ...(settings.schema === null
      ? {}
      : { output_config: { format: { type: 'json_schema', schema: settings.schema } } }),
    ...messagesTools(tools, settings),
  };
}

function messagesTurn({ user, text, calls }: Turn): readonly JsonObject[] {
  const uses = calls.map((call) => ({ type: 'tool_use', id: idOf(call), name: call.name, input: call.arguments }));
  const results = calls.map((call) => ({
    type: 'tool_result',
    tool_use_id: idOf(call),
    content: call.output,
    is_error: call.failed,
  }));
  return [
    { role: 'user', content: user.map(messagesPart) },
    { role: 'assistant', content: [{ type: 'text', text: visible(text) }, ...uses] },
    ...(calls.length === 0 ? [] : [{ role: 'user', content: results }]),
  ];
}

function idOf({ id }: Call): string {
  return id.replace(/[^\w-]/g, '_');
}

function visible(text: string): string {
  return text.trim() === '' ? 'Hm.' : text;
}

function messagesPart(part: Part): JsonObject {
  if ('text' in part) return { type: 'text', text: visible(part.text) };
  const source =
    'png' in part ? { type: 'base64', media_type: 'image/png', data: part.png } : { type: 'url', url: part.link };
  return { type: 'image', source };
}

function messagesTools(tools: readonly Tool[], { choice, parallel }: Settings): JsonObject {
  const [first] = tools;
  if (first === undefined) return {};
  const type = { auto: 'auto', none: 'none', required: 'any', named: 'tool' }[choice];
  return {
    tools: tools.map(({ name, description, parameters }) => ({
      name,
      ...stated({ description }),
      input_schema: { type: 'object', ...parameters },
    })),
    tool_choice: {
      type,
      ...(choice === 'named' ? { name: first.name } : {}),
      ...(choice === 'none' || parallel ? {} : { disable_parallel_tool_use: true }),
    },
  };
}

function stated(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}
