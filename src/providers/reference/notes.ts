import type { Wire } from '../../dialects/endpoint.js';

/** Short names of wires for people. */
export const SHORT_NAMES: Readonly<Partial<Record<Wire, string>>> = {
  'openai-chat': 'chat',
  'openai-responses': 'responses',
  'anthropic-messages': 'messages',
  'anthropic-count-tokens': 'count_tokens',
  'gemini-generate': 'Gemini',
  'gemini-embed': 'Gemini embed',
  'vertex-predict': 'Vertex predict',
  'bedrock-converse': 'Converse',
  'bedrock-count-tokens': 'Bedrock CountTokens',
  'bedrock-embed': 'Bedrock embed',
  'cohere-embed': 'Cohere embed',
  'voyage-embed': 'Voyage embed',
  'openai-embeddings': 'embeddings',
  'openai-images': 'images',
  rerank: 'rerank',
  'jina-rerank': 'Jina rerank',
  'voyage-rerank': 'Voyage rerank',
};

/** Kinds that ask different models in different dialects: one row for each, with a model that stands for them. */
export const VARIANTS: ReadonlyMap<string, readonly (readonly [title: string, model: string])[]> = new Map([
  [
    'vertex',
    [
      ['Gemini', 'gemini-2.5-pro'],
      ['Claude', 'claude-sonnet-4-5'],
    ],
  ],
  [
    'bedrock',
    [
      ['Claude', 'anthropic.claude-sonnet-4-5-20250929-v1:0'],
      ['other texts', 'amazon.nova-pro-v1:0'],
      ['embeddings', 'amazon.titan-embed-text-v2:0'],
    ],
  ],
]);

/** What the code cannot say itself. */
export const NOTES = {
  introduction: `# Providers

<!-- Generated from src/providers/ by \`npm run generate\`. Do not edit. -->

What \`kind\` may be. Each kind is one small file in \`src/providers/\`; what speaks OpenAI's dialect is \`openai-compatible\` plus a
difference ([add a provider](add-a-provider.md)). How each is given its key: [credentials](credentials.md). What apps notice of
translation: [translation](translation.md).`,

  kinds: `- **prices** is the provider's name in the installed price catalogue; – means that its models have a price only if the
  configuration gives one under \`prices\`.
- **Addresses of mainland China** and other plans are a \`base_url\`: Qwen \`https://dashscope.aliyuncs.com/compatible-mode/v1\`,
  Kimi \`https://api.moonshot.cn/v1\`, GLM \`https://open.bigmodel.cn/api/paas/v4\` or, for the coding plan,
  \`https://api.z.ai/api/coding/paas/v4\`. They are priced as the international address unless \`prices\` says otherwise.
- **Azure**: with \`base_url: https://NAME.openai.azure.com/openai/v1\` the model is the deployment's name. With the dated API set
  \`api_version\` and give the bare host as \`base_url\`; paths become \`/openai/deployments/MODEL/…?api-version=…\`.
- \`GITHUB_TOKEN\` is not read: it is set on many machines for other things.
- Only these request headers of an app reach a provider: content-type, accept, user-agent, idempotency-key, anthropic-version,
  anthropic-beta, openai-beta. Anything else a provider needs is a fixed header in the configuration (\`headers\`).`,

  matrix: `## Who serves what

Rows are providers, columns are the endpoints that apps call. \`native\`: the provider speaks the app's dialect, bytes are passed
on. A name: the app's request is translated into that dialect. –: 400 \`unsupported_endpoint\`.`,

  afterMatrix: `Counting tokens never fails for lack of a provider's endpoint: where there is a –, Tollgate answers with its own estimate.
\`GET /v1/models\` is answered by Tollgate, and \`/providers/NAME/…\` reaches everything else that a provider has.`,

  features: `## Features

What reaches the provider. ✓ carried over; *warned*: left out and named in \`x-tollgate-warning\`; *400*: refused; –: the app's
dialect, or the provider's, has no such thing. Two marks: it depends on the model. Every pair streams, and takes several calls at once.`,

  losses: `## What is lost

Found by sending every member of the app's dialect alone through each translation. Models in brackets: only there. \`(as …)\`: the
name in the warning or the error, where it is the one of chat completions, which all other translations go through. Members that are
not listed here or in the app's API reference are left out with a warning too. \`strict: true\` on a model turns warnings into 400.`,
} as const;
