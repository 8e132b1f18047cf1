import { type Answerer, jsonAnswer, type MockRequest } from '../answer.js';
import { googleError, googleErrorBody, statusError } from '../errors.js';
import { countOr, type JsonObject, objectOr } from '../json.js';
import { type Reply, reply } from '../reply.js';
import { signatureOf, thoughtsOn } from '../thoughts.js';
import { problemOf, promptOf, thinks } from './request.js';

/** `whole`: no stream; `sse`: asked with `alt=sse`; `array`: one JSON array that is sent piece by piece. */
export type Form = 'whole' | 'sse' | 'array';

/** https://ai.google.dev/api/generate-content, the same on Vertex AI. */
export function generate(form: Form): Answerer {
  return (request) => {
    const problem = problemOf(request.body);
    if (problem !== null) return googleError(problem);
    const prompt = promptOf(request.body);
    const said = reply(prompt, request.behaviour);
    const thoughts = thinks(request.body) ? thoughtsOn(prompt) : [];
    const count = countOr(objectOr(request.body['generationConfig'])['candidateCount'], 1, 8);
    const asked: Asked = { request, said, thoughts, count, input: prompt.inputTokens };
    if (form === 'whole') return jsonAnswer(whole(asked));
    const error = googleErrorBody(statusError(503));
    if (form === 'sse') return { kind: 'stream', events: lines(chunks(asked)), errorEvent: line(error) };
    const events = elements(chunks(asked));
    return {
      kind: 'stream',
      contentType: 'application/json; charset=UTF-8',
      events,
      errorEvent: `,\r\n${pretty(error)}\n]`,
    };
  };
}

interface Asked {
  readonly request: MockRequest;
  readonly said: Reply;
  /** Pieces, one token each. */
  readonly thoughts: readonly string[];
  readonly count: number;
  readonly input: number;
}

const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', tool_calls: 'STOP' } as const;

function whole(asked: Asked): JsonObject {
  const { said, thoughts, count } = asked;
  const thought = thoughts.length === 0 ? [] : [{ text: thoughts.join(''), thought: true }];
  const parts = [...thought, ...(said.toolCalls.length > 0 ? calls(asked) : [{ text: said.pieces.join('') }])];
  const candidates = Array.from({ length: count }, (_, index) => candidate(index, parts, FINISH[said.finish]));
  return answer(asked, candidates, { output: said.outputTokens * count, thought: thoughts.length });
}

/** Every chunk states what was used so far; finish reasons come with the last content, functions are called whole. */
function* chunks(asked: Asked): Generator<JsonObject> {
  const { said, thoughts, count } = asked;
  const spent = { output: 0, thought: 0 };
  for (const text of thoughts) {
    spent.thought += 1;
    yield answer(asked, [candidate(0, [{ text, thought: true }])], spent);
  }
  const pieces = said.toolCalls.length > 0 ? [] : said.pieces;
  for (const [at, text] of pieces.entries()) {
    for (let index = 0; index < count; index += 1) {
      spent.output = Math.min(spent.output + 1, said.outputTokens * count);
      const finish = at === pieces.length - 1 ? FINISH[said.finish] : null;
      if (finish !== null && index === count - 1) spent.output = said.outputTokens * count;
      yield answer(asked, [candidate(index, [{ text }], finish)], spent);
    }
  }
  if (pieces.length > 0) return;
  const parts = said.toolCalls.length > 0 ? calls(asked) : [{ text: '' }];
  const candidates = Array.from({ length: count }, (_, index) => candidate(index, parts, FINISH[said.finish]));
  yield answer(asked, candidates, { ...spent, output: said.outputTokens * count });
}

/** Only the first of parallel calls is signed. */
function calls({ said, request }: Asked): JsonObject[] {
  return said.toolCalls.map((call, at) => ({
    functionCall: { name: call.name, args: objectOr(JSON.parse(call.arguments)) },
    ...(at === 0 ? { thoughtSignature: signatureOf(request.id) } : {}),
  }));
}

function candidate(index: number, parts: readonly JsonObject[], finishReason: string | null = null): JsonObject {
  return { content: { parts, role: 'model' }, ...(finishReason === null ? {} : { finishReason }), index };
}

function answer(
  { request, input }: Asked,
  candidates: readonly JsonObject[],
  spent: { readonly output: number; readonly thought: number },
): JsonObject {
  const usageMetadata = {
    promptTokenCount: input,
    candidatesTokenCount: spent.output,
    totalTokenCount: input + spent.output + spent.thought,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
    ...(spent.thought > 0 ? { thoughtsTokenCount: spent.thought } : {}),
  };
  const usage = request.behaviour.usage ? { usageMetadata } : {};
  return { candidates, ...usage, modelVersion: request.model, responseId: request.id };
}

/** Google's lines end in CRLF. */
function line(event: JsonObject): string {
  return `data: ${JSON.stringify(event)}\r\n\r\n`;
}

function* lines(events: Iterable<JsonObject>): Generator<string> {
  for (const event of events) yield line(event);
}

/** One JSON array; its closing bracket is an event of its own, which a stream that is cut never sends. */
function* elements(events: Iterable<JsonObject>): Generator<string> {
  let before = '[';
  for (const event of events) {
    yield before + pretty(event);
    before = ',\r\n';
  }
  yield '\n]';
}

function pretty(event: JsonObject): string {
  return JSON.stringify(event, null, 2);
}
