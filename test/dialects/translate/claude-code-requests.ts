import type { JsonObject } from '../../../src/dialects/json-value.js';

/**
 * What Claude Code sends to `/v1/messages?beta=true`, by requests that its users have published: a billing line in front of the
 * system prompt, breakpoints for caching, schemas with `$schema`, a user id that is JSON in a string.
 */
const TOOLS: readonly JsonObject[] = [
  tool('Bash', 'Executes a command in a shell.', {
    command: { type: 'string', description: 'The command to execute' },
    timeout: { type: 'number', description: 'Optional timeout in milliseconds' },
    run_in_background: { type: 'boolean' },
  }),
  tool('Read', 'Reads a file.', {
    file_path: { type: 'string' },
    limit: { type: 'integer', exclusiveMinimum: 0, maximum: 9_007_199_254_740_991 },
  }),
  tool('TodoWrite', 'Keeps a list of tasks.', {
    todos: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          content: { type: 'string', minLength: 1 },
          status: { type: 'string', enum: ['pending', 'in_progress', 'completed'] },
        },
        required: ['content', 'status'],
        additionalProperties: false,
      },
    },
  }),
  tool('mcp__a-server-with-a-long-name__and-a-tool-whose-name-is-longer-than-others', 'Of a server.', {}),
];

function tool(name: string, description: string, properties: JsonObject): JsonObject {
  const required = Object.keys(properties).slice(0, 1);
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties, required };
  return { name, description, input_schema: { ...schema, additionalProperties: false }, eager_input_streaming: true };
}

const BREAKPOINT = { type: 'ephemeral' };

export const CLAUDE_CODE_HEADERS: Readonly<Record<string, string>> = {
  'anthropic-version': '2023-06-01',
  'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27',
  'x-app': 'cli',
  'user-agent': 'claude-cli/2.1.177 (external, cli)',
};

export const USER_ID = JSON.stringify({
  device_id: '7'.repeat(64),
  account_uuid: '',
  session_id: '0b0a3f7e-5d0c-4f0e-9a53-0e4f4bd3f0aa',
});

export const FIRST_TURN: JsonObject = {
  role: 'user',
  content: [
    { type: 'text', text: '<system-reminder>\nThe date is 2026-06-16.\n</system-reminder>\n' },
    { type: 'text', text: 'How many tests fail?', cache_control: BREAKPOINT },
  ],
};

/** The request of a session's turn. */
export function claudeCodeRequest(messages: readonly JsonObject[] = [FIRST_TURN]): JsonObject {
  return {
    model: 'claude-sonnet-4-6',
    max_tokens: 32_000,
    stream: true,
    system: [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.177.01c; cc_entrypoint=cli; cch=36ee5;' },
      { type: 'text', text: "You are Claude Code, Anthropic's official CLI.", cache_control: BREAKPOINT },
      { type: 'text', text: 'You are an interactive agent.\n# Environment\nlinux', cache_control: BREAKPOINT },
    ],
    messages,
    tools: TOOLS,
    metadata: { user_id: USER_ID },
    thinking: { type: 'adaptive' },
    output_config: { effort: 'medium' },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  };
}

/** The question that Claude Code asks beside a session: what is it about? */
export const TITLE_REQUEST: JsonObject = {
  model: 'claude-haiku-4-5-20251001',
  max_tokens: 512,
  stream: true,
  system: [{ type: 'text', text: 'Summarise the coding task in a title.' }],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'How many tests fail?' }] }],
  tools: [],
  temperature: 1,
  metadata: { user_id: USER_ID },
  output_config: {
    format: {
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: { title: { type: 'string' } },
        required: ['title'],
        additionalProperties: false,
      },
    },
  },
};
