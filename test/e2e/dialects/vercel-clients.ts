import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, type LanguageModel, streamText, type ToolSet, tool } from 'ai';
import type { Finish, Said } from './said.js';
import type { Question, ReadingClient, Where } from './sdk-clients.js';

/** Vercel's `ai` with its providers. */
export function vercelClients({ url, key, capture }: Where): readonly ReadingClient[] {
  const where = { apiKey: key, fetch: capture.fetch };
  const openai = createOpenAI({ ...where, baseURL: `${url}/v1` });
  const compatible = createOpenAICompatible({ ...where, name: 'gateway', baseURL: `${url}/v1`, includeUsage: true });
  const anthropic = createAnthropic({ ...where, baseURL: `${url}/v1` });
  const google = createGoogleGenerativeAI({ ...where, baseURL: `${url}/v1beta` });
  const client = (
    name: string,
    dialect: ReadingClient['dialect'],
    model: (id: string) => LanguageModel,
  ): ReadingClient => ({ name: `ai ${name}`, dialect, read: (question) => read(model(question.model), question) });
  return [
    client('openai chat', 'chat', (id) => openai.chat(id)),
    client('openai-compatible', 'chat', (id) => compatible.chatModel(id)),
    client('openai responses', 'responses', (id) => openai.responses(id)),
    client('anthropic', 'messages', (id) => anthropic(id)),
    // A name with a slash is a resource's name to this client.
    client('google', 'gemini', (id) => google(`models/${id}`)),
  ];
}

const REASONS: Readonly<Record<string, Finish>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
};

async function read(model: LanguageModel, { stream, tools }: Question): Promise<Said> {
  const declared: ToolSet = Object.fromEntries(
    tools.map((name) => [name, tool({ inputSchema: jsonSchema({ type: 'object', properties: {} }) })]),
  );
  const request = {
    model,
    prompt: 'What is the weather?',
    maxRetries: 0,
    ...(tools.length > 0 ? { tools: declared } : {}),
  };
  const answer = stream ? await streamed(request) : await generateText(request);
  const [text, calls, reason, usage] = await Promise.all([
    answer.text,
    answer.toolCalls,
    answer.finishReason,
    answer.usage,
  ]);
  return {
    text,
    calls: calls.map((call) => ({ name: call.toolName, arguments: call.input })),
    finish: REASONS[reason] ?? null,
    input: usage.inputTokens ?? null,
    output: usage.outputTokens ?? null,
  };
}

/** Errors in a stream are parts of it here; whoever waits for the text would wait for nothing. */
async function streamed(request: Parameters<typeof streamText>[0]): Promise<ReturnType<typeof streamText>> {
  const result = streamText({ ...request, onError: () => {} });
  for await (const part of result.fullStream) if (part.type === 'error') throw part.error;
  return result;
}
