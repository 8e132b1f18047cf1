import { FLOATS_ONLY, openAiCompatible } from './openai-compatible.js';

/** The international host; accounts of mainland China set `base_url: https://dashscope.aliyuncs.com/compatible-mode/v1`. */
export const qwen = openAiCompatible({
  kind: 'qwen',
  title: 'Qwen (Alibaba Cloud Model Studio)',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  environment: ['DASHSCOPE_API_KEY', 'QWEN_API_KEY'],
  wires: ['openai-chat', 'openai-completions', 'openai-embeddings'],
  priceId: null,
  rewrites: FLOATS_ONLY,
});
