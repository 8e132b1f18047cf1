import { unsignedThoughts } from '../dialects/anthropic/unsigned-thoughts.js';
import { bedrockBetas } from '../dialects/bedrock/betas.js';
import { embedsText, isClaude } from '../dialects/bedrock/model.js';
import type { Wire } from '../dialects/endpoint.js';
import type { Envelope, ProviderKind, UpstreamCall } from './kind.js';
import { BEARER, basePath } from './openai-compatible.js';

/** What is asked of a model, by wire. `bedrock-embed` and Claude's own dialect are each model's native body. */
const VERBS: ReadonlyMap<Wire, readonly [whole: string, streamed: string]> = new Map<Wire, readonly [string, string]>([
  ['bedrock-converse', ['converse', 'converse-stream']],
  ['anthropic-messages', ['invoke', 'invoke-with-response-stream']],
  ['bedrock-embed', ['invoke', 'invoke']],
  ['bedrock-count-tokens', ['count-tokens', 'count-tokens']],
]);

/**
 * AWS Bedrock: Converse for every model that chats, Claude also in Anthropic's own dialect, embeddings of Amazon and Cohere.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
 */
export const bedrock: ProviderKind = {
  kind: 'bedrock',
  title: 'Amazon Bedrock',
  baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
  needs: ['region'],
  identity: 'aws',
  environment: ['AWS_BEARER_TOKEN_BEDROCK'],
  credential: BEARER,
  wires: new Set(VERBS.keys()),
  usageOnRequest: false,
  mends: [unsignedThoughts],
  priceId: 'aws',
  path(account, { endpoint, model, stream }) {
    const [whole, streamed] = VERBS.get(endpoint.wire) ?? ['invoke', 'invoke'];
    const id = endpoint.wire === 'bedrock-count-tokens' ? baseModel(model) : model;
    return `${basePath(account)}/model/${modelInPath(id)}/${stream ? streamed : whole}`;
  },
  serves(wire, model) {
    if (embedsText(model) || wire === 'bedrock-embed') return embedsText(model) && wire === 'bedrock-embed';
    return wire === 'bedrock-converse' || isClaude(model);
  },
  envelope: claudeEnvelope,
};

/** One segment, encoded once: ids have colons, ARNs have slashes, and a model named `..` must not climb out of `model/`. */
function modelInPath(id: string): string {
  if (/^\.{1,2}$/.test(id)) return id.replaceAll('.', '%252E');
  return encodeURIComponent(id.replace(/\p{Cs}/gu, '\ufffd'));
}

/** Counting refuses inference profiles: the prefix that spreads a model over regions is no part of the model. */
function baseModel(id: string): string {
  return id.replace(/^(?:us|us-gov|eu|apac|jp|au|ca|sa|me|af|global)\.(?=anthropic\.)/, '');
}

/** Model and streaming are in the path; betas, which others send as a header, are in the body. */
function claudeEnvelope({ endpoint }: UpstreamCall, sent: (name: string) => string): Envelope | null {
  if (endpoint.wire !== 'anthropic-messages') return null;
  const betas = bedrockBetas(
    sent('anthropic-beta')
      .split(',')
      .map((name) => name.trim()),
  );
  return {
    set: { anthropic_version: 'bedrock-2023-05-31', ...(betas.length === 0 ? {} : { anthropic_beta: betas }) },
    remove: ['model', 'stream'],
  };
}
