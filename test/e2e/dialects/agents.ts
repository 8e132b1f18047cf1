import Anthropic from '@anthropic-ai/sdk';
import { type Content, type GenerateContentResponse, GoogleGenAI, type Part } from '@google/genai';
import OpenAI from 'openai';

/** What an app tells its agent: questions, each of which may take several turns, and what its tools answer. */
export interface Task {
  readonly model: string;
  readonly stream: boolean;
  /** Of the gateway. */
  readonly url: string;
  readonly key: string;
  /** Base64 of a PNG that goes with the first question. */
  readonly image: string;
  readonly questions: readonly string[];
  /** The model is to think. */
  readonly thinks: boolean;
  /** What a tool answers: words, and maybe a PNG in base64. */
  tool(name: string, given: unknown): { readonly text: string; readonly image: string | null };
}

/** Answers of the last turn of each question. */
export type Agent = (task: Task) => Promise<readonly string[]>;

export const TOOL_NAMES: readonly string[] = ['get_weather', 'draw_chart'];
const SCHEMA = { type: 'object' as const, properties: { city: { type: 'string' } } };
const dataUrl = (image: string): string => `data:image/png;base64,${image}`;

/** Each pushes back the message that its client library made of the answer, as apps do. */
export const AGENTS: Readonly<Record<'chat' | 'messages' | 'responses' | 'gemini', Agent>> = {
  chat: chatAgent,
  messages: messagesAgent,
  responses: responsesAgent,
  gemini: geminiAgent,
};

async function chatAgent(task: Task): Promise<readonly string[]> {
  const openai = new OpenAI({ baseURL: `${task.url}/v1`, apiKey: task.key, maxRetries: 0 });
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'system', content: 'Be brief.' }];
  const tools = TOOL_NAMES.map((name) => ({ type: 'function' as const, function: { name, parameters: SCHEMA } }));
  const texts: string[] = [];
  for (const [index, text] of task.questions.entries()) {
    const picture = { type: 'image_url' as const, image_url: { url: dataUrl(task.image) } };
    messages.push({ role: 'user', content: index === 0 ? [{ type: 'text', text }, picture] : text });
    for (;;) {
      const request = {
        model: task.model,
        messages,
        tools,
        ...(task.thinks ? { reasoning_effort: 'low' as const } : {}),
      };
      const answer = task.stream
        ? await openai.chat.completions.stream(request).finalChatCompletion()
        : await openai.chat.completions.create(request);
      const message = answer.choices[0]?.message;
      if (message === undefined) throw new Error('no choice');
      messages.push(message);
      const calls = message.tool_calls ?? [];
      if (calls.length === 0) {
        texts.push(message.content ?? '');
        break;
      }
      for (const call of calls) {
        if (call.type !== 'function') throw new Error(`a call of type ${call.type}`);
        const result = task.tool(call.function.name, JSON.parse(call.function.arguments));
        messages.push({ role: 'tool', tool_call_id: call.id, content: result.text });
      }
    }
  }
  return texts;
}

async function messagesAgent(task: Task): Promise<readonly string[]> {
  const anthropic = new Anthropic({ baseURL: task.url, apiKey: task.key, maxRetries: 0 });
  const messages: Anthropic.MessageParam[] = [];
  const tools = TOOL_NAMES.map((name) => ({ name, input_schema: SCHEMA }));
  const picture = (data: string): Anthropic.ImageBlockParam => ({
    type: 'image',
    source: { type: 'base64', media_type: 'image/png', data },
  });
  const texts: string[] = [];
  for (const [index, text] of task.questions.entries()) {
    const words = { type: 'text' as const, text };
    messages.push({ role: 'user', content: index === 0 ? [words, picture(task.image)] : [words] });
    for (;;) {
      const thinking = task.thinks ? { thinking: { type: 'enabled' as const, budget_tokens: 1024 } } : {};
      const request = { model: task.model, max_tokens: 4096, system: 'Be brief.', messages, tools, ...thinking };
      const answer = task.stream
        ? await anthropic.messages.stream(request).finalMessage()
        : await anthropic.messages.create(request);
      messages.push({ role: 'assistant', content: answer.content });
      const calls = answer.content.filter((block) => block.type === 'tool_use');
      if (calls.length === 0) {
        texts.push(answer.content.map((block) => (block.type === 'text' ? block.text : '')).join(''));
        break;
      }
      const results = calls.map((call): Anthropic.ToolResultBlockParam => {
        const { text: said, image } = task.tool(call.name, call.input);
        const more = image === null ? [] : [picture(image)];
        return { type: 'tool_result', tool_use_id: call.id, content: [{ type: 'text', text: said }, ...more] };
      });
      messages.push({ role: 'user', content: results });
    }
  }
  return texts;
}

async function responsesAgent(task: Task): Promise<readonly string[]> {
  const openai = new OpenAI({ baseURL: `${task.url}/v1`, apiKey: task.key, maxRetries: 0 });
  const input: OpenAI.Responses.ResponseInputItem[] = [];
  const tools = TOOL_NAMES.map((name) => ({ type: 'function' as const, name, parameters: SCHEMA, strict: false }));
  const picture = (image: string): OpenAI.Responses.ResponseInputImage => ({
    type: 'input_image',
    image_url: dataUrl(image),
    detail: 'auto',
  });
  const texts: string[] = [];
  for (const [index, text] of task.questions.entries()) {
    const words = { type: 'input_text' as const, text };
    input.push({ type: 'message', role: 'user', content: index === 0 ? [words, picture(task.image)] : [words] });
    for (;;) {
      const request = {
        model: task.model,
        instructions: 'Be brief.',
        input,
        tools,
        store: false,
        include: ['reasoning.encrypted_content' as const],
        ...(task.thinks ? { reasoning: { effort: 'low' as const, summary: 'auto' as const } } : {}),
      };
      const answer = task.stream
        ? await openai.responses.stream(request).finalResponse()
        : await openai.responses.create(request);
      input.push(...(answer.output as OpenAI.Responses.ResponseInputItem[]));
      const calls = (answer.output as readonly OpenAI.Responses.ResponseOutputItem[]).filter(
        (item) => item.type === 'function_call',
      );
      if (calls.length === 0) {
        texts.push(answer.output_text);
        break;
      }
      for (const call of calls) {
        const { text: said, image } = task.tool(call.name, JSON.parse(call.arguments));
        const output = image === null ? said : [{ type: 'input_text' as const, text: said }, picture(image)];
        input.push({ type: 'function_call_output', call_id: call.call_id, output });
      }
    }
  }
  return texts;
}

async function geminiAgent(task: Task): Promise<readonly string[]> {
  const google = new GoogleGenAI({ apiKey: task.key, httpOptions: { baseUrl: task.url } });
  const chat = google.chats.create({
    model: task.model,
    config: {
      systemInstruction: 'Be brief.',
      tools: [{ functionDeclarations: TOOL_NAMES.map((name) => ({ name, parametersJsonSchema: SCHEMA })) }],
      ...(task.thinks ? { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } : {}),
    },
  });
  const picture = (data: string): Part => ({ inlineData: { mimeType: 'image/png', data } });
  const texts: string[] = [];
  for (const [index, text] of task.questions.entries()) {
    let message: Part[] = index === 0 ? [{ text }, picture(task.image)] : [{ text }];
    for (;;) {
      const answers: GenerateContentResponse[] = [];
      if (!task.stream) answers.push(await chat.sendMessage({ message }));
      else for await (const answer of await chat.sendMessageStream({ message })) answers.push(answer);
      const calls = answers.flatMap((answer) => answer.functionCalls ?? []);
      if (calls.length === 0) {
        texts.push(answers.map((answer) => wordsOf(answer.candidates?.[0]?.content)).join(''));
        break;
      }
      message = calls.flatMap((call): Part[] => {
        const { text: said, image } = task.tool(call.name ?? '', call.args);
        const id = call.id === undefined ? {} : { id: call.id };
        const parts = image === null ? {} : { parts: [picture(image)] };
        return [{ functionResponse: { ...id, name: call.name ?? '', response: { output: said }, ...parts } }];
      });
    }
  }
  return texts;
}

function wordsOf(content: Content | undefined): string {
  return (content?.parts ?? []).map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
}
