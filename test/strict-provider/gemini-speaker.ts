import { geminiRequest } from '../schemas/gemini-request.js';
import { type Json, piecesOf, type Speaker, type Turn } from './script.js';

const USAGE = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 };

/** Google's Gemini API: a signature stands on the first call of a turn, or on its text where it calls nothing. */
export const geminiSpeaker: Speaker = {
  faults(body) {
    const result = geminiRequest.safeParse(body);
    return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  },
  seen(body: Json) {
    const parts: Json[] = body.contents.flatMap((content: Json) => content.parts);
    const responses = parts.flatMap(({ functionResponse }) => functionResponse ?? []);
    const inside: Json[] = responses.flatMap((response) => response.parts ?? []);
    return {
      calls: parts
        .flatMap(({ functionCall }) => functionCall ?? [])
        .map(({ id, name, args }) => ({ id, name, arguments: args ?? {} })),
      results: responses.map(({ id, response }) => ({ id, text: String(Object.values(response)[0]) })),
      signatures: parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
      images: [...parts, ...inside].flatMap(({ inlineData }) => inlineData?.data ?? []),
    };
  },
  whole: (turn) => chunk(partsOf(turn), 'STOP'),
  stream: (turn) => {
    const chunks = [
      ...partsOf(turn)
        .flatMap(cut)
        .map((part) => chunk([part])),
      chunk([{ text: '' }], 'STOP'),
    ];
    return { type: 'text/event-stream', pieces: chunks.map((each) => `data: ${JSON.stringify(each)}\r\n\r\n`) };
  },
  refusal: (message) => ({ error: { code: 400, status: 'INVALID_ARGUMENT', message } }),
};

function chunk(parts: readonly Json[], finishReason?: string): Json {
  const candidate = { index: 0, content: { role: 'model', parts }, ...(finishReason ? { finishReason } : {}) };
  return { candidates: [candidate], usageMetadata: USAGE, modelVersion: 'gemini-3-pro-preview', responseId: 'r1' };
}

function partsOf({ thought, text, calls }: Turn): Json[] {
  const signed = thought === null ? {} : { thoughtSignature: thought.signature };
  return [
    ...(thought === null ? [] : [{ text: thought.text, thought: true }]),
    ...(text === '' ? [] : [{ text, ...(calls.length === 0 ? signed : {}) }]),
    ...calls.map((call, index) => ({
      functionCall: { id: call.id, name: call.name, args: call.arguments },
      ...(index === 0 ? signed : {}),
    })),
  ];
}

/** Texts come in pieces, calls whole. */
function cut(part: Json): readonly Json[] {
  if (part.text === undefined || part.thoughtSignature !== undefined) return [part];
  return piecesOf(part.text).map((text) => ({ ...part, text }));
}
