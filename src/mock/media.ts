import { countTokens, pieces } from '../codec/word-pieces.js';
import { type Answerer, jsonAnswer, type MockAnswer, type MockRequest } from './answer.js';
import { STREAM_ERROR } from './chat.js';
import { countOr, type JsonObject, listOr, objectOr, textOr } from './json.js';

/** One transparent pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
/** Tokens that a real image of the smallest size costs. */
const IMAGE_TOKENS = 272;

/** `POST /v1/images/generations`. */
export const images: Answerer = (request) => {
  const count = countOr(request.body['n'], 1, 10);
  const input = countTokens(textOr(request.body['prompt']));
  const output = IMAGE_TOKENS * count;
  const usage = {
    input_tokens: input,
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
    output_tokens: output,
    total_tokens: input + output,
  };
  const data = Array.from({ length: count }, () => ({ b64_json: PNG }));
  return jsonAnswer({ created: request.created, data, ...(request.behaviour.usage ? { usage } : {}) });
};

const AUDIO_TYPES: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
};

/** `POST /v1/audio/speech`: silence, one MPEG frame (26 ms) for each character. */
export const speech: Answerer = (request) => {
  const type = AUDIO_TYPES[textOr(request.body['response_format'], 'mp3')] ?? 'audio/mpeg';
  const frame = Buffer.alloc(417);
  frame.writeUInt32BE(0xfffb9000);
  const frames = Math.min(textOr(request.body['input']).length || 1, 4096);
  const body = Buffer.concat(Array.from({ length: frames }, () => frame));
  return { kind: 'whole', status: 200, headers: { 'content-type': type }, body };
};

/** `POST /v1/audio/transcriptions` and `/translations` (multipart). A second of audio is taken as 16 KiB. */
export const transcription: Answerer = (request) => {
  const file = request.file ?? { name: 'audio', bytes: 0 };
  const text = `A mock transcript of ${file.name}, ${file.bytes} bytes.`;
  const seconds = Math.max(1, Math.ceil(file.bytes / 16_384));
  const format = textOr(request.body['response_format'], 'json');
  if (request.body['stream'] === 'true') return transcriptStream(request, text, seconds);
  if (format === 'json') return jsonAnswer({ text, ...transcriptUsage(request, text, seconds) });
  if (format === 'verbose_json') {
    return jsonAnswer({ task: 'transcribe', language: 'english', duration: seconds, text, segments: [] });
  }
  const body = Buffer.from(format === 'text' ? `${text}\n` : `1\n00:00:00,000 --> 00:00:01,000\n${text}\n`);
  return { kind: 'whole', status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
};

function transcriptUsage(request: MockRequest, text: string, seconds: number): JsonObject {
  if (!request.behaviour.usage) return {};
  const input = seconds * 10;
  const output = countTokens(text);
  return {
    usage: {
      type: 'tokens',
      input_tokens: input,
      input_token_details: { text_tokens: 0, audio_tokens: input },
      output_tokens: output,
      total_tokens: input + output,
    },
  };
}

function transcriptStream(request: MockRequest, text: string, seconds: number): MockAnswer {
  const data = (event: JsonObject): string => `data: ${JSON.stringify(event)}\n\n`;
  const done = { type: 'transcript.text.done', text, ...transcriptUsage(request, text, seconds) };
  const events = [...pieces(text).map((delta) => data({ type: 'transcript.text.delta', delta })), data(done)];
  return { kind: 'stream', events, errorEvent: data({ type: 'error', error: STREAM_ERROR }) };
}

const CATEGORIES = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'];

/** `POST /v1/moderations`: flags a text that says "violence". */
export const moderations: Answerer = (request) => {
  const input = request.body['input'];
  const inputs = Array.isArray(input) ? input : [input];
  const results = inputs.slice(0, 1024).map((each) => {
    const text = typeof each === 'string' ? each : textOr(objectOr(each)['text']);
    const hits = CATEGORIES.filter((category) => text.toLowerCase().includes(category));
    return {
      flagged: hits.length > 0,
      categories: Object.fromEntries(CATEGORIES.map((name) => [name, hits.includes(name)])),
      category_scores: Object.fromEntries(CATEGORIES.map((name) => [name, hits.includes(name) ? 0.98 : 0.0001])),
    };
  });
  return jsonAnswer({ id: `modr-${request.id}`, model: request.model, results: listOr(results) });
};
