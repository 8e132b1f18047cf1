import type { ProviderAccount } from '../config/snapshot.js';
import { unsignedThoughts } from '../dialects/anthropic/unsigned-thoughts.js';
import type { Wire } from '../dialects/endpoint.js';
import { embedsContent } from '../dialects/vertex-predict/embeds-content.js';
import { generatePath, modelSegment } from './google-path.js';
import type { Envelope, ProviderKind, UpstreamCall } from './kind.js';
import { BEARER, basePath } from './openai-compatible.js';
import { vertexBetas } from './vertex-betas.js';

const CLAUDE_WIRES: ReadonlySet<Wire> = new Set(['anthropic-messages', 'anthropic-count-tokens']);

/**
 * Vertex AI: Google's models in Google's dialect, Claude in Anthropic's.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest · https://docs.anthropic.com/en/api/claude-on-vertex-ai
 */
export const vertex: ProviderKind = {
  kind: 'vertex',
  title: 'Google Vertex AI',
  baseUrl: 'https://{location}-aiplatform.googleapis.com',
  baseUrlAt: {
    global: 'https://aiplatform.googleapis.com',
    us: 'https://aiplatform.us.rep.googleapis.com',
    eu: 'https://aiplatform.eu.rep.googleapis.com',
  },
  needs: ['project', 'location'],
  identity: 'google',
  environment: [],
  credential: BEARER,
  wires: new Set<Wire>(['gemini-generate', 'gemini-count-tokens', 'vertex-predict', 'gemini-embed', ...CLAUDE_WIRES]),
  usageOnRequest: false,
  mends: [unsignedThoughts],
  priceId: 'google',
  path: vertexPath,
  serves(wire, model) {
    if (isClaude(model) || CLAUDE_WIRES.has(wire)) return isClaude(model) && CLAUDE_WIRES.has(wire);
    return wire !== 'gemini-embed' || embedsContent(model);
  },
  envelope: claudeEnvelope,
  callHeaders: claudeHeaders,
};

function isClaude(model: string): boolean {
  return model.startsWith('claude-');
}

function vertexPath(account: ProviderAccount, call: UpstreamCall): string {
  const place = `projects/${modelSegment(account.project ?? '')}/locations/${modelSegment(account.location ?? '')}`;
  const [publisher, action] = CLAUDE_WIRES.has(call.endpoint.wire)
    ? ['anthropic', claudeAction(call)]
    : ['google', googleAction(call)];
  return `${basePath(account) || '/v1'}/${place}/publishers/${publisher}/models/${action}`;
}

function googleAction(call: UpstreamCall): string {
  const { wire } = call.endpoint;
  const model = modelSegment(call.model);
  if (wire === 'gemini-generate') return generatePath(call);
  if (wire === 'gemini-count-tokens') return `${model}:countTokens`;
  return embedsContent(call.model) ? `${model}:embedContent` : `${model}:predict`;
}

/** Counting has a model of its own in the path; the one to count for stays in the body. */
function claudeAction({ endpoint, model, stream }: UpstreamCall): string {
  if (endpoint.wire === 'anthropic-count-tokens') return 'count-tokens:rawPredict';
  return `${modelSegment(model)}:${stream ? 'streamRawPredict' : 'rawPredict'}`;
}

function claudeEnvelope({ endpoint }: UpstreamCall): Envelope | null {
  if (!CLAUDE_WIRES.has(endpoint.wire)) return null;
  const remove = endpoint.wire === 'anthropic-messages' ? ['model'] : [];
  return { set: { anthropic_version: 'vertex-2023-10-16' }, remove };
}

function claudeHeaders({ endpoint }: UpstreamCall, sent: (name: string) => string): Readonly<Record<string, string>> {
  const asked = CLAUDE_WIRES.has(endpoint.wire) ? sent('anthropic-beta') : '';
  return asked === '' ? {} : { 'anthropic-beta': vertexBetas(asked) };
}
