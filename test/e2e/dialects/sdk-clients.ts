import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import type { CapturingFetch } from './captured.js';
import type { Call, Finish, Said } from './said.js';

/** What a client asks: a few words, with tools of these names at hand. */
export interface Question {
  /** As the gateway knows it: `anthropic/claude-…`. */
  readonly model: string;
  readonly stream: boolean;
  readonly tools: readonly string[];
}

/** An official client, reading one dialect. */
export interface ReadingClient {
  readonly name: string;
  readonly dialect: 'chat' | 'responses' | 'messages' | 'gemini';
  read(question: Question): Promise<Said>;
}

export interface Where {
  /** Of the gateway, without a path. */
  readonly url: string;
  readonly key: string;
  readonly capture: CapturingFetch;
}

const WORDS = 'What is the weather?';
const SCHEMA = { type: 'object' as const, properties: {}, additionalProperties: true };

/** Arguments as the client parses them. */
export function parsedArguments(text: string): unknown {
  return text === '' ? {} : JSON.parse(text);
}

/** `openai`, `@anthropic-ai/sdk` and `@google/genai`, with their helpers for streams. */
export function vendorClients({ url, key, capture }: Where): readonly ReadingClient[] {
  const { fetch } = capture;
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, fetch });
  const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, fetch });
  const google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  return [
    { name: 'openai chat', dialect: 'chat', read: (question) => readChat(openai, question) },
    { name: 'openai responses', dialect: 'responses', read: (question) => readResponse(openai, question) },
    { name: 'anthropic', dialect: 'messages', read: (question) => readMessage(anthropic, question) },
    { name: 'google', dialect: 'gemini', read: (question) => readContent(google, question) },
  ];
}

async function readChat(openai: OpenAI, { model, stream, tools }: Question): Promise<Said> {
  const request = {
    model,
    messages: [{ role: 'user' as const, content: WORDS }],
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((name) => ({ type: 'function' as const, function: { name, parameters: SCHEMA } })) }),
  };
  const answer = stream
    ? await openai.chat.completions
        .stream({ ...request, stream_options: { include_usage: true } })
        .finalChatCompletion()
    : await openai.chat.completions.create(request);
  const choice = answer.choices[0];
  const calls = (choice?.message.tool_calls ?? []).map((call): Call => {
    if (call.type !== 'function') throw new Error(`a call of type ${call.type}`);
    return { name: call.function.name, arguments: parsedArguments(call.function.arguments) };
  });
  return {
    text: choice?.message.content ?? '',
    calls,
    finish: (choice?.finish_reason ?? null) as Finish | null,
    input: answer.usage?.prompt_tokens ?? null,
    output: answer.usage?.completion_tokens ?? null,
  };
}

async function readResponse(openai: OpenAI, { model, stream, tools }: Question): Promise<Said> {
  const request = {
    model,
    input: WORDS,
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((name) => ({ type: 'function' as const, name, parameters: SCHEMA, strict: false })) }),
  };
  const answer = stream
    ? await openai.responses.stream(request).finalResponse()
    : await openai.responses.create(request);
  const calls = answer.output.flatMap((item) =>
    item.type === 'function_call' ? [{ name: item.name, arguments: parsedArguments(item.arguments) }] : [],
  );
  const refusals = answer.output.flatMap((item) =>
    item.type === 'message' ? item.content.flatMap((part) => (part.type === 'refusal' ? [part.refusal] : [])) : [],
  );
  const why = answer.incomplete_details?.reason;
  const cut: Finish | null =
    why === 'max_output_tokens' ? 'length' : why === 'content_filter' ? 'content_filter' : null;
  const whole: Finish | null = answer.status !== 'completed' ? null : calls.length > 0 ? 'tool_calls' : 'stop';
  return {
    text: answer.output_text + refusals.join(''),
    calls,
    finish: cut ?? whole,
    input: answer.usage?.input_tokens ?? null,
    output: answer.usage?.output_tokens ?? null,
  };
}

const STOP_REASONS: Readonly<Record<string, Finish>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

async function readMessage(anthropic: Anthropic, { model, stream, tools }: Question): Promise<Said> {
  const request = {
    model,
    max_tokens: 4096,
    messages: [{ role: 'user' as const, content: WORDS }],
    ...(tools.length === 0 ? {} : { tools: tools.map((name) => ({ name, input_schema: SCHEMA })) }),
  };
  const answer = stream
    ? await anthropic.messages.stream(request).finalMessage()
    : await anthropic.messages.create(request);
  const { usage, content } = answer;
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    finish: STOP_REASONS[answer.stop_reason ?? ''] ?? null,
    input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
    output: usage.output_tokens,
  };
}

const FINISH_REASONS: Readonly<Record<string, Finish>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
};

async function readContent(google: GoogleGenAI, { model, stream, tools }: Question): Promise<Said> {
  const request = {
    model,
    contents: WORDS,
    ...(tools.length === 0
      ? {}
      : {
          config: { tools: [{ functionDeclarations: tools.map((name) => ({ name, parametersJsonSchema: SCHEMA })) }] },
        }),
  };
  const answers = stream
    ? await google.models.generateContentStream(request)
    : [await google.models.generateContent(request)];
  const calls: Call[] = [];
  let text = '';
  let finish: string | undefined;
  let usage: { promptTokenCount?: number; candidatesTokenCount?: number; thoughtsTokenCount?: number } = {};
  for await (const answer of answers) {
    for (const part of answer.candidates?.[0]?.content?.parts ?? []) if (!part.thought) text += part.text ?? '';
    for (const call of answer.functionCalls ?? []) calls.push({ name: call.name ?? '', arguments: call.args ?? {} });
    finish = answer.candidates?.[0]?.finishReason ?? finish;
    usage = answer.usageMetadata ?? usage;
  }
  const word = FINISH_REASONS[finish ?? ''] ?? null;
  return {
    text,
    calls,
    finish: word === 'stop' && calls.length > 0 ? 'tool_calls' : word,
    input: usage.promptTokenCount ?? null,
    output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
  };
}
