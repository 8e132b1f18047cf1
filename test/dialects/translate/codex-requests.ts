import type { JsonObject } from '../../../src/dialects/json-value.js';

/**
 * What Codex CLI sends, in the form that its published sources give it: everything in `input`, nothing stored, thoughts sealed,
 * free text for patches, and a search of cached pages that is offered in every request.
 */
export function codexRequest(turns: readonly unknown[]): JsonObject {
  return {
    model: 'gpt-5-codex',
    instructions: 'You are Codex, running as a coding agent in the Codex CLI on a user’s computer.',
    input: [...BEGINNING, ...turns],
    tools: TOOLS,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { effort: 'medium', summary: 'auto' },
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: '019a6c1e-6e4f-7c30-8f4a-1f2d3c4b5a69',
    text: { verbosity: 'low' },
  };
}

const BEGINNING = [
  {
    type: 'message',
    role: 'developer',
    content: [
      {
        type: 'input_text',
        text: '<permissions instructions>sandbox_mode is workspace-write</permissions instructions>',
      },
    ],
  },
  {
    type: 'message',
    role: 'user',
    content: [
      { type: 'input_text', text: '# AGENTS.md instructions for /project\n\nUse tabs.' },
      {
        type: 'input_text',
        text: '<environment_context>\n  <cwd>/project</cwd>\n  <shell>bash</shell>\n</environment_context>',
      },
    ],
  },
  { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Greet in main.py.' }] },
];

const STRING = { type: 'string' };

function functionTool(
  name: string,
  description: string,
  properties: JsonObject,
  required: readonly string[],
): JsonObject {
  const parameters = { type: 'object', properties, required, additionalProperties: false };
  return { type: 'function', name, description, strict: false, parameters };
}

const TOOLS = [
  functionTool(
    'exec_command',
    'Runs a command in a PTY, returning output or a session ID for ongoing interaction.',
    {
      cmd: { ...STRING, description: 'Shell command to execute.' },
      workdir: STRING,
      yield_time_ms: { type: 'number' },
    },
    ['cmd'],
  ),
  functionTool(
    'update_plan',
    'Updates the task plan.',
    {
      explanation: STRING,
      plan: {
        type: 'array',
        items: {
          type: 'object',
          properties: { step: STRING, status: { ...STRING, description: 'One of: pending, in_progress, completed' } },
          required: ['step', 'status'],
          additionalProperties: false,
        },
      },
    },
    ['plan'],
  ),
  functionTool('view_image', 'Views a local image.', { path: STRING }, ['path']),
  {
    type: 'custom',
    name: 'apply_patch',
    description: 'Use the `apply_patch` tool to edit files. This is a FREEFORM tool, so do not wrap the patch in JSON.',
    format: { type: 'grammar', syntax: 'lark', definition: 'start: begin_patch hunk+ end_patch\n' },
  },
  { type: 'web_search', external_web_access: false },
];

export const PATCH = '*** Begin Patch\n*** Add File: main.py\n+print("Grüße 👋")\n*** End Patch\n';

/** What Codex appends after a turn that listed files and patched one. */
export function outputsOf([list, patch]: readonly string[]) {
  return [
    {
      type: 'function_call_output',
      call_id: list,
      output: 'Chunk ID: 1\nProcess exited with code 0\nOutput:\nREADME.md',
    },
    {
      type: 'custom_tool_call_output',
      call_id: patch,
      output: '{"output":"Success.","metadata":{"exit_code":0}}',
    },
  ];
}

export const SIGNATURE = 'c2lnbmF0dXJlIG9mIHRoZSB0aG91Z2h0cw==';
const LIST = { cmd: 'ls' };

/** The same first turn as each provider streams it: a thought, a command and a patch. Pairs of the event's type and its data. */
export const FIRST_TURNS: Readonly<Record<string, readonly (readonly [type: string, data: JsonObject])[]>> = {
  'openai-chat': [
    ['', delta({ role: 'assistant', reasoning_content: 'Look first.' })],
    ['', delta({ tool_calls: [callDelta(0, 'call_list', 'exec_command', JSON.stringify(LIST))] })],
    ['', delta({ tool_calls: [callDelta(1, 'call_patch', 'apply_patch', JSON.stringify({ input: PATCH }))] })],
    ['', { ...delta({}, 'tool_calls'), usage: { prompt_tokens: 900, completion_tokens: 60, total_tokens: 960 } }],
  ],
  'anthropic-messages': [
    [
      'message_start',
      {
        type: 'message_start',
        message: { id: 'msg_1', model: 'claude', usage: { input_tokens: 900, output_tokens: 1 } },
      },
    ],
    ...block(0, { type: 'thinking', thinking: '', signature: '' }, [
      { type: 'thinking_delta', thinking: 'Look first.' },
      { type: 'signature_delta', signature: SIGNATURE },
    ]),
    ...block(1, { type: 'tool_use', id: 'call_list', name: 'exec_command', input: {} }, [jsonDelta(LIST)]),
    ...block(2, { type: 'tool_use', id: 'call_patch', name: 'apply_patch', input: {} }, [jsonDelta({ input: PATCH })]),
    ['message_delta', { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 60 } }],
    ['message_stop', { type: 'message_stop' }],
  ],
  'gemini-generate': [
    ['', candidate([{ text: 'Look first.', thought: true }])],
    [
      '',
      candidate([
        { functionCall: { id: 'call_list', name: 'exec_command', args: LIST }, thoughtSignature: SIGNATURE },
        { functionCall: { id: 'call_patch', name: 'apply_patch', args: { input: PATCH } } },
      ]),
    ],
    [
      '',
      {
        candidates: [{ index: 0, content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' }],
        usageMetadata: {
          promptTokenCount: 900,
          candidatesTokenCount: 50,
          thoughtsTokenCount: 10,
          totalTokenCount: 960,
        },
      },
    ],
  ],
  'bedrock-converse': [
    ['messageStart', { role: 'assistant' }],
    ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Look first.' } } }],
    ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: SIGNATURE } } }],
    ['contentBlockStop', { contentBlockIndex: 0 }],
    ...toolUse(1, 'call_list', 'exec_command', LIST),
    ...toolUse(2, 'call_patch', 'apply_patch', { input: PATCH }),
    ['messageStop', { stopReason: 'tool_use' }],
    ['metadata', { usage: { inputTokens: 900, outputTokens: 60, totalTokens: 960 } }],
  ],
};

function delta(of: JsonObject, finish: string | null = null): JsonObject {
  return { id: 'c', model: 'm', choices: [{ index: 0, delta: of, finish_reason: finish }] };
}

function callDelta(index: number, id: string, name: string, json: string): JsonObject {
  return { index, id, type: 'function', function: { name, arguments: json } };
}

function block(
  index: number,
  start: JsonObject,
  deltas: readonly JsonObject[],
): readonly (readonly [string, JsonObject])[] {
  return [
    ['content_block_start', { type: 'content_block_start', index, content_block: start }],
    ...deltas.map((each): [string, JsonObject] => [
      'content_block_delta',
      { type: 'content_block_delta', index, delta: each },
    ]),
    ['content_block_stop', { type: 'content_block_stop', index }],
  ];
}

function jsonDelta(value: JsonObject): JsonObject {
  return { type: 'input_json_delta', partial_json: JSON.stringify(value) };
}

function candidate(parts: readonly JsonObject[]): JsonObject {
  return { candidates: [{ index: 0, content: { role: 'model', parts } }], modelVersion: 'gemini-3-pro' };
}

function toolUse(
  index: number,
  id: string,
  name: string,
  input: JsonObject,
): readonly (readonly [string, JsonObject])[] {
  return [
    ['contentBlockStart', { contentBlockIndex: index, start: { toolUse: { toolUseId: id, name } } }],
    ['contentBlockDelta', { contentBlockIndex: index, delta: { toolUse: { input: JSON.stringify(input) } } }],
    ['contentBlockStop', { contentBlockIndex: index }],
  ];
}
