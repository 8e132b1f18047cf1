import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/**
 * The international host, priced in dollars. Others set `base_url`: `https://open.bigmodel.cn/api/paas/v4` (mainland China)
 * or `https://api.z.ai/api/coding/paas/v4` (coding plan). There is no `/v1`.
 */
export const zhipu = openAiCompatible({
  kind: 'zhipu',
  title: 'GLM (Z.ai, Zhipu AI)',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  environment: ['ZAI_API_KEY', 'ZHIPU_API_KEY', 'ZHIPUAI_API_KEY'],
  wires: ['openai-chat', 'openai-embeddings', 'openai-images'],
  priceId: 'zai',
  rewrites: FLOATS_ONLY,
  echoesReasoning: true,
});
