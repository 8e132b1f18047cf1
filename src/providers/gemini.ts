import type { ProviderAccount } from '../config/snapshot.js';
import type { Wire } from '../dialects/endpoint.js';
import { generatePath, modelSegment } from './google-path.js';
import type { ProviderKind, UpstreamCall } from './kind.js';
import { basePath } from './openai-compatible.js';

/** Google AI Studio's API in Google's own dialect. https://ai.google.dev/api */
export const gemini: ProviderKind = {
  kind: 'gemini',
  title: 'Google Gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  environment: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  credential: { header: 'x-goog-api-key', prefix: '' },
  wires: new Set<Wire>(['gemini-generate', 'gemini-count-tokens', 'gemini-embed']),
  usageOnRequest: false,
  priceId: 'google',
  listQuery: '?pageSize=1000',
  path: geminiPath,
};

function geminiPath(account: ProviderAccount, call: UpstreamCall): string {
  const [, folder = 'models', model = ''] = /^(?:(models|tunedModels)\/)?(.*)$/s.exec(call.model) ?? [];
  return `${basePath(account)}/${folder}/${action({ ...call, model })}`;
}

function action(call: UpstreamCall): string {
  const { wire, upstreamPath } = call.endpoint;
  if (wire === 'gemini-count-tokens') return `${modelSegment(call.model)}:countTokens`;
  if (wire !== 'gemini-embed') return generatePath(call);
  const verb = upstreamPath === ':embedContent' ? upstreamPath : ':batchEmbedContents';
  return modelSegment(call.model) + verb;
}
