import type { Wire } from '../../dialects/endpoint.js';
import type { JsonObject } from '../../dialects/json-value.js';

/** One member of a client's request, set to something that says more than its default. */
export interface Probe {
  /** How people call it: `logit_bias`, `messages[].name`. */
  readonly field: string;
  readonly members: JsonObject;
  /** What must be there too for the member to make sense. */
  readonly given?: JsonObject;
  /** Why it may leave no trace in a provider's request without being told. */
  readonly silent?: string;
}

/** What a client's dialect can say: the smallest request, and every member of it one at a time. */
export interface Dialect {
  readonly base: JsonObject;
  readonly probes: readonly Probe[];
}

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const PDF = 'JVBERi0xLjQKJSVFT0YK';
export const WAV = 'UklGRiQAAABXQVZF';
export const SCHEMA: JsonObject = {
  type: 'object',
  properties: { answer: { type: 'string' } },
  required: ['answer'],
  additionalProperties: false,
};
const EPHEMERAL: JsonObject = { type: 'ephemeral' };

/** Each member of `table` as a probe of its own. */
function each(table: JsonObject, given?: JsonObject): readonly Probe[] {
  return Object.entries(table).map(([field, value]) => ({
    field,
    members: { [field]: value },
    ...(given === undefined ? {} : { given }),
  }));
}

const CHAT_TOOL: JsonObject = { type: 'function', function: { name: 'look', parameters: SCHEMA } };

function chatContent(field: string, part: JsonObject): Probe {
  const text = { type: 'text', text: 'Hello' };
  return { field, members: { messages: [{ role: 'user', content: [text, part] }] } };
}

const CHAT: Dialect = {
  base: { model: 'm', messages: [{ role: 'user', content: 'Hello' }] },
  probes: [
    ...each({
      frequency_penalty: 0.5,
      functions: [{ name: 'look', parameters: SCHEMA }],
      logit_bias: { 50256: -100 },
      logprobs: true,
      max_completion_tokens: 50,
      max_tokens: 50,
      metadata: { a: 'b' },
      modalities: ['text', 'audio'],
      moderation: { model: 'omni-moderation-latest' },
      n: 2,
      prediction: { type: 'content', content: 'Hello' },
      presence_penalty: 0.5,
      prompt_cache_key: 'a',
      prompt_cache_options: { mode: 'explicit' },
      prompt_cache_retention: '24h',
      reasoning_effort: 'low',
      safety_identifier: 'someone',
      seed: 1,
      service_tier: 'flex',
      stop: ['end'],
      store: true,
      temperature: 0.5,
      top_p: 0.5,
      user: 'someone',
      verbosity: 'low',
      web_search_options: {},
      // Not of OpenAI, but sent to chat endpoints by apps and other gateways.
      thinking: { type: 'enabled', budget_tokens: 2048 },
      top_k: 5,
      cache_control: EPHEMERAL,
    }),
    {
      field: 'audio',
      members: { audio: { voice: 'alloy', format: 'mp3' } },
      silent: 'It says nothing unless `modalities` asks for audio.',
    },
    { field: 'top_logprobs', members: { top_logprobs: 2 }, given: { logprobs: true } },
    {
      field: 'function_call',
      members: { function_call: 'none' },
      given: { functions: [{ name: 'look', parameters: SCHEMA }] },
    },
    ...each({ parallel_tool_calls: false, tool_choice: 'required' }, { tools: [CHAT_TOOL] }),
    { field: 'tools', members: { tools: [CHAT_TOOL] } },
    { field: 'tools[].custom', members: { tools: [{ type: 'custom', custom: { name: 'look' } }] } },
    {
      field: 'tools[].function.strict',
      members: { tools: [{ type: 'function', function: { name: 'look', parameters: SCHEMA, strict: true } }] },
      given: { tools: [CHAT_TOOL] },
    },
    { field: 'response_format: json_object', members: { response_format: { type: 'json_object' } } },
    {
      field: 'response_format: json_schema',
      members: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA, strict: true } } },
    },
    {
      field: 'messages[].role: system',
      members: { messages: [{ role: 'system', content: 'Be kind.' }, ...user('Hi')] },
    },
    { field: 'messages[].name', members: { messages: [{ role: 'user', name: 'Ann', content: 'Hello' }] } },
    chatContent('image_url', { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }),
    chatContent('image_url (an address)', { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }),
    chatContent('file.file_data', {
      type: 'file',
      file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` },
    }),
    chatContent('file.file_id', { type: 'file', file: { file_id: 'file-1' } }),
    chatContent('input_audio', { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
    { field: 'messages[].content[].cache_control', members: { messages: cachedTurn() } },
    {
      field: 'messages[].cache_control',
      members: { messages: [{ role: 'user', content: 'Hello', cache_control: EPHEMERAL }] },
    },
  ],
};

function user(content: string): readonly JsonObject[] {
  return [{ role: 'user', content }];
}

function cachedTurn(): readonly JsonObject[] {
  return [{ role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: EPHEMERAL }] }];
}

const RESPONSES_TOOL: JsonObject = { type: 'function', name: 'look', parameters: SCHEMA, strict: false };

function input(field: string, part: JsonObject): Probe {
  const text = { type: 'input_text', text: 'Hello' };
  return { field, members: { input: [{ role: 'user', content: [text, part] }] } };
}

const RESPONSES: Dialect = {
  base: { model: 'm', input: 'Hello' },
  probes: [
    ...each({
      background: true,
      context_management: [{ type: 'compaction', compact_threshold: 1000 }],
      conversation: 'conv_1',
      instructions: 'Be kind.',
      max_output_tokens: 50,
      max_tool_calls: 3,
      metadata: { a: 'b' },
      moderation: { model: 'omni-moderation-latest' },
      previous_response_id: 'resp_1',
      prompt: { id: 'pmpt_1' },
      prompt_cache_key: 'a',
      prompt_cache_options: { mode: 'explicit' },
      prompt_cache_retention: '24h',
      safety_identifier: 'someone',
      service_tier: 'flex',
      store: true,
      temperature: 0.5,
      top_p: 0.5,
      truncation: 'auto',
      user: 'someone',
    }),
    { field: 'reasoning.effort', members: { reasoning: { effort: 'low' } } },
    { field: 'text.verbosity', members: { text: { verbosity: 'low' } } },
    {
      field: 'text.format: json_schema',
      members: { text: { format: { type: 'json_schema', name: 'a', schema: SCHEMA, strict: true } } },
    },
    { field: 'text.format: json_object', members: { text: { format: { type: 'json_object' } } } },
    { field: 'include: logprobs', members: { include: ['message.output_text.logprobs'] } },
    { field: 'top_logprobs', members: { top_logprobs: 2 }, given: { include: ['message.output_text.logprobs'] } },
    { field: 'tools', members: { tools: [RESPONSES_TOOL] } },
    ...each({ parallel_tool_calls: false, tool_choice: 'required' }, { tools: [RESPONSES_TOOL] }),
    ...['web_search', 'image_generation', 'code_interpreter', 'local_shell'].map((type) => ({
      field: `tools[].type: ${type}`,
      members: { tools: [{ type }] },
    })),
    { field: 'tools[].type: custom', members: { tools: [{ type: 'custom', name: 'look' }] } },
    input('input_image', { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' }),
    input('input_image (an address)', { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' }),
    input('input_file', { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` }),
    input('input_file.file_id', { type: 'input_file', file_id: 'file-1' }),
    { field: 'input[]: item_reference', members: { input: [{ type: 'item_reference', id: 'msg_1' }] } },
  ],
};

const MESSAGES_TOOL: JsonObject = { name: 'look', input_schema: SCHEMA };

function block(field: string, ...blocks: readonly JsonObject[]): Probe {
  return { field, members: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }, ...blocks] }] } };
}

const MESSAGES: Dialect = {
  base: { model: 'm', max_tokens: 4096, messages: user('Hello') },
  probes: [
    ...each({
      cache_control: EPHEMERAL,
      container: 'container_1',
      context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
      diagnostics: { previous_message_id: 'msg_1' },
      inference_geo: 'us',
      max_tokens: 50,
      mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'a' }],
      metadata: { user_id: 'someone' },
      service_tier: 'standard_only',
      speed: 'fast',
      stop_sequences: ['end'],
      system: 'Be kind.',
      temperature: 0.5,
      thinking: { type: 'enabled', budget_tokens: 2048 },
      top_k: 5,
      top_p: 0.5,
      user_profile_id: 'a',
      workspace_id: 'a',
    }),
    { field: 'output_config.effort', members: { output_config: { effort: 'low' } } },
    {
      field: 'output_config.format',
      members: { output_config: { format: { type: 'json_schema', schema: SCHEMA } } },
    },
    { field: 'tools', members: { tools: [MESSAGES_TOOL] } },
    {
      field: 'tools[].cache_control',
      members: { tools: [{ ...MESSAGES_TOOL, cache_control: EPHEMERAL }] },
      given: { tools: [MESSAGES_TOOL] },
    },
    { field: 'tools[]: web_search', members: { tools: [{ type: 'web_search_20250305', name: 'web_search' }] } },
    { field: 'tool_choice', members: { tool_choice: { type: 'any' } }, given: { tools: [MESSAGES_TOOL] } },
    {
      field: 'tool_choice.disable_parallel_tool_use',
      members: { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      given: { tools: [MESSAGES_TOOL] },
    },
    {
      field: 'system[].cache_control',
      members: { system: [{ type: 'text', text: 'Be kind.', cache_control: EPHEMERAL }] },
      given: { system: [{ type: 'text', text: 'Be kind.' }] },
    },
    { field: 'messages[].content[].cache_control', members: { messages: cachedTurn() } },
    block('image', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }),
    block('image (an address)', { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }),
    block('document', { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } }),
    block('document (text)', { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A text.' } }),
    block('document (a file id)', { type: 'document', source: { type: 'file', file_id: 'file_1' } }),
    {
      field: 'messages: a beginning of the answer',
      members: { messages: [...user('Hello'), { role: 'assistant', content: 'I' }] },
    },
  ],
};

const GEMINI_TOOL: JsonObject = { functionDeclarations: [{ name: 'look', parametersJsonSchema: SCHEMA }] };

function config(members: JsonObject, given?: JsonObject): readonly Probe[] {
  return Object.entries(members).map(([name, value]) => ({
    field: `generationConfig.${name}`,
    members: { generationConfig: { ...given, [name]: value } },
    ...(given === undefined ? {} : { given: { generationConfig: given } }),
  }));
}

function part(field: string, value: JsonObject): Probe {
  return { field, members: { contents: [{ role: 'user', parts: [{ text: 'Hello' }, value] }] } };
}

const GEMINI: Dialect = {
  base: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  probes: [
    ...each({
      cachedContent: 'cachedContents/1',
      labels: { a: 'b' },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      serviceTier: 'flex',
      store: true,
      systemInstruction: { parts: [{ text: 'Be kind.' }] },
      tools: [GEMINI_TOOL],
    }),
    ...config({
      audioTimestamp: true,
      candidateCount: 2,
      frequencyPenalty: 0.5,
      imageConfig: { aspectRatio: '1:1' },
      maxOutputTokens: 50,
      mediaResolution: 'MEDIA_RESOLUTION_LOW',
      presencePenalty: 0.5,
      responseLogprobs: true,
      responseModalities: ['IMAGE'],
      seed: 1,
      speechConfig: { languageCode: 'de-DE' },
      stopSequences: ['end'],
      temperature: 0.5,
      thinkingConfig: { thinkingBudget: 2048 },
      topK: 5,
      topP: 0.5,
    }),
    ...config({ logprobs: 2 }, { responseLogprobs: true }),
    ...config({ responseJsonSchema: SCHEMA }, { responseMimeType: 'application/json' }),
    ...config({ responseMimeType: 'application/json' }),
    ...config(
      { responseSchema: { type: 'OBJECT', properties: { answer: { type: 'STRING' } } } },
      { responseMimeType: 'application/json' },
    ),
    {
      field: 'toolConfig.functionCallingConfig',
      members: { toolConfig: { functionCallingConfig: { mode: 'ANY' } } },
      given: { tools: [GEMINI_TOOL] },
    },
    ...['googleSearch', 'codeExecution', 'urlContext'].map((name) => ({
      field: `tools[].${name}`,
      members: { tools: [{ [name]: {} }] },
    })),
    part('inlineData (image)', { inlineData: { mimeType: 'image/png', data: PNG } }),
    part('inlineData (document)', { inlineData: { mimeType: 'application/pdf', data: PDF } }),
    part('inlineData (audio)', { inlineData: { mimeType: 'audio/wav', data: WAV } }),
    part('fileData', { fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } }),
  ],
};

const EMBEDDINGS: Dialect = {
  base: { model: 'm', input: 'Hello' },
  probes: [
    ...each({ dimensions: 256, input: ['a', 'b'], user: 'someone' }),
    { field: 'encoding_format', members: { encoding_format: 'base64' }, silent: 'Tollgate encodes the answer itself.' },
  ],
};

const RERANK: Dialect = {
  base: { model: 'm', query: 'a', documents: ['b', 'c'] },
  probes: [
    ...each({ documents: ['d'], max_tokens_per_doc: 100, priority: 1, top_n: 1 }),
    {
      field: 'return_documents',
      members: { return_documents: true },
      silent: 'Tollgate puts them into the answer itself.',
    },
  ],
};

const IMAGES: Dialect = {
  base: { model: 'm', prompt: 'A cat' },
  probes: [
    { field: 'response_format', members: { response_format: 'b64_json' }, silent: 'Answers are so anyway.' },
    ...each({
      background: 'transparent',
      moderation: 'low',
      n: 2,
      output_compression: 50,
      output_format: 'jpeg',
      partial_images: 1,
      quality: 'high',
      size: '1024x1536',
      stream: true,
      style: 'vivid',
      user: 'someone',
    }),
  ],
};

const COUNT_TOKENS: Dialect = {
  base: { model: 'm', messages: user('Hello') },
  probes: each({ system: 'Be kind.', tools: [MESSAGES_TOOL], thinking: { type: 'enabled', budget_tokens: 2048 } }),
};

export const DIALECTS: ReadonlyMap<Wire, Dialect> = new Map<Wire, Dialect>([
  ['openai-chat', CHAT],
  ['openai-responses', RESPONSES],
  ['anthropic-messages', MESSAGES],
  ['gemini-generate', GEMINI],
  ['openai-embeddings', EMBEDDINGS],
  ['rerank', RERANK],
  ['openai-images', IMAGES],
  ['anthropic-count-tokens', COUNT_TOKENS],
]);
