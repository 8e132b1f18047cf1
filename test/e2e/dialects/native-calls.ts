import { matchEndpoint } from '../../../src/dialects/endpoints.js';
import type { Recording } from '../../../src/mock/recording.js';
import { PROVIDER_KINDS } from '../../../src/providers/registry.js';

/** How a client of the recording's own dialect asks for it. */
export interface NativeCall {
  /** The recording under the name by which the replay knows it: some kinds choose the dialect by the model's name. */
  readonly recording: Recording;
  /** Name in the config of the provider that answers. */
  readonly provider: string;
  /** `model`: the recording's id with a cutting. */
  path(model: string): string;
  body(model: string): Readonly<Record<string, unknown>>;
  /** What of the answer's usage goes into the record; `none`: a path that is passed through unread. */
  readonly metered: 'anthropic' | 'bedrock' | 'gemini' | 'openai' | 'none';
  /** The client's framing is not the provider's: AWS' frames become Anthropic's events. */
  readonly reframed: boolean;
}

const PATHS: Readonly<Record<string, string>> = {
  'openai.chat': '/v1/chat/completions',
  'openai.completions': '/v1/completions',
  'openai.responses': '/v1/responses',
  'openai.embeddings': '/v1/embeddings',
  'openai.images': '/v1/images/generations',
  'anthropic.messages': '/v1/messages',
  'anthropic.count_tokens': '/v1/messages/count_tokens',
};

const SAME_VENDOR: Readonly<Record<string, string>> = { azure: 'azure-openai', zai: 'zhipu' };

/** The kind under which a recording of an OpenAI dialect is replayed: its vendor's own where we have one that serves the endpoint. */
export function openaiKindOf(recording: Recording): string {
  const kind = PROVIDER_KINDS.get(SAME_VENDOR[recording.provider] ?? recording.provider);
  const wire = matchEndpoint('POST', PATHS[recording.endpoint] ?? '')?.wire;
  return kind !== undefined && wire !== undefined && kind.wires.has(wire) ? kind.kind : 'openai-compatible';
}

/** What refers to things that the provider stored for whoever was recorded. */
const STORED: ReadonlySet<string> = new Set(['conversation', 'previous_response_id']);

type Ask = (recording: Recording) => readonly NativeCall[];

/** By endpoint as the recordings name it; every one of them is in here. */
const ASKS: Readonly<Record<string, Ask>> = {
  'openai.chat': openai,
  'openai.completions': openai,
  'openai.responses': openai,
  'openai.embeddings': openai,
  'openai.images': openai,
  'anthropic.messages': (recording) => [
    inBody(recording, 'anthropic', 'anthropic'),
    inBody(renamed(recording, 'claude-'), 'vertex', 'anthropic'),
    directly(recording, 'anthropic', { path: '/v1/messages', metered: 'anthropic' }),
  ],
  'anthropic.count_tokens': (recording) => [inBody(recording, 'anthropic', 'none')],
  'bedrock.converse': (recording) => [converse(recording, 'converse')],
  'bedrock.converseStream': (recording) => [converse(recording, 'converse-stream')],
  'bedrock.countTokens': (recording) => [bedrockBytes(recording, 'count-tokens')],
  'bedrock.invoke': (recording) => [bedrockBytes(recording, 'invoke'), ...claude(recording)],
  'bedrock.invokeStream': (recording) => [bedrockBytes(recording, 'invoke-with-response-stream'), ...claude(recording)],
  'cohere.chat': (recording) => [directly(recording, 'cohere', { path: '/v2/chat', metered: 'none' })],
  'cohere.embed': (recording) => [directly(recording, 'cohere', { path: '/v2/embed', metered: 'none' })],
  'gemini.generateContent': (recording) => generate(recording, 'generateContent'),
  'gemini.streamGenerateContent': (recording) =>
    generate(recording, `streamGenerateContent${isArray(recording) ? '' : '?alt=sse'}`),
  'gemini.countTokens': (recording) => [
    google(recording, placeOf(recording), { verb: 'countTokens', metered: 'none' }),
  ],
  'gemini.embedContent': (recording) => [
    google(renamed(recording, 'gemini-embedding-2-'), placeOf(recording), { verb: 'embedContent', metered: 'gemini' }),
  ],
  'gemini.batchEmbedContents': (recording) => [
    google(recording, 'gemini', { verb: 'batchEmbedContents', metered: 'none' }),
  ],
  'gemini.predict': (recording) => [
    {
      ...directly(recording, 'vertex', { path: '', metered: 'none' }),
      path: (model) => `/providers/vertex/v1/projects/p/locations/global/publishers/google/models/${model}:predict`,
    },
  ],
};

/** The calls that a recording is asked by; throws for an endpoint that nobody thought of. */
export function nativeCalls(recording: Recording): readonly NativeCall[] {
  const ask = ASKS[recording.endpoint];
  if (ask === undefined) throw new Error(`${recording.id}: no way to ask for ${recording.endpoint}`);
  return ask(recording);
}

function openai(recording: Recording): readonly NativeCall[] {
  return [inBody(recording, openaiKindOf(recording), 'openai')];
}

function renamed(recording: Recording, prefix: string): Recording {
  return { ...recording, id: `${prefix}${recording.id}` };
}

function isArray(recording: Recording): boolean {
  return recording.features.includes('json-array-stream');
}

function placeOf(recording: Recording): string {
  return recording.provider === 'vertex' ? 'vertex' : 'gemini';
}

function inBody(recording: Recording, provider: string, metered: NativeCall['metered']): NativeCall {
  const stream = recording.stream ? { stream: true } : {};
  const path = PATHS[recording.endpoint] ?? '/v1/messages';
  const own = Object.entries(recording.request.body ?? {}).filter(([name]) => !STORED.has(name));
  const body = (model: string) => ({ ...Object.fromEntries(own), model: `${provider}/${model}`, ...stream });
  return { recording, provider, path: () => path, body, metered, reframed: false };
}

/** Claude on Bedrock, asked in Anthropic's dialect; other makers' bodies are no dialect of ours. */
function claude(recording: Recording): readonly NativeCall[] {
  if (!recording.request.path.includes('anthropic.claude')) return [];
  // Claude 2 was once asked by a prompt, and is answered here as if it had been by messages.
  const body = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 100, ...recording.request.body };
  const ours = Object.entries(body).filter(([name]) => !['anthropic_version', 'prompt'].includes(name));
  const asked: Recording = {
    ...renamed(recording, 'anthropic.claude-'),
    request: { ...recording.request, body: Object.fromEntries(ours) },
  };
  return [{ ...inBody(asked, 'bedrock', 'anthropic'), reframed: recording.stream }];
}

function directly(
  recording: Recording,
  provider: string,
  { path, metered }: { readonly path: string; readonly metered: NativeCall['metered'] },
): NativeCall {
  const stream = recording.stream ? { stream: true } : {};
  const body = (model: string) => ({ ...recording.request.body, model, ...stream });
  return { recording, provider, path: () => `/providers/${provider}${path}`, body, metered, reframed: false };
}

function converse(recording: Recording, verb: string): NativeCall {
  return { ...bedrockBytes(recording, verb), metered: 'bedrock' };
}

function bedrockBytes(recording: Recording, verb: string): NativeCall {
  const path = (model: string) => `/providers/bedrock/model/${encodeURIComponent(model)}/${verb}`;
  const body = () => recording.request.body ?? { messages: [] };
  return { recording, provider: 'bedrock', path, body, metered: 'none', reframed: false };
}

/** In Google's own paths, and once more past all translation. */
function generate(recording: Recording, verb: string): readonly NativeCall[] {
  const provider = placeOf(recording);
  const own = google(recording, provider, { verb, metered: 'gemini' });
  return [own, { ...own, path: (model) => `/providers/${provider}/v1beta/models/${model}:${verb}` }];
}

function google(
  recording: Recording,
  provider: string,
  { verb, metered }: { readonly verb: string; readonly metered: NativeCall['metered'] },
): NativeCall {
  const path = (model: string) => `/v1beta/models/${provider}/${model}:${verb}`;
  const body = () => recording.request.body ?? { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };
  return { recording, provider, path, body, metered, reframed: false };
}
