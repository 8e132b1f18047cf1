import { unsignedThoughts } from '../dialects/anthropic/unsigned-thoughts.js';
import type { ProviderKind } from './kind.js';
import { pathBelowBase } from './openai-compatible.js';

/** The only version so far; it stands for the shape of answers, not for features. */
const VERSION = '2023-06-01';

/** Anthropic's own API. https://platform.claude.com/docs/en/api/overview */
export const anthropic: ProviderKind = {
  kind: 'anthropic',
  title: 'Anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  environment: ['ANTHROPIC_API_KEY'],
  credential: { header: 'x-api-key', prefix: '' },
  wires: new Set(['anthropic-messages', 'anthropic-count-tokens'] as const),
  usageOnRequest: false,
  mends: [unsignedThoughts],
  priceId: 'anthropic',
  listQuery: '?limit=1000',
  path: pathBelowBase,
  callHeaders: (_call, sent) => ({ 'anthropic-version': sent('anthropic-version') || VERSION }),
};
