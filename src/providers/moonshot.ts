import { openAiCompatible } from './openai-compatible.js';

/** The international host; accounts of mainland China set `base_url: https://api.moonshot.cn/v1`. */
export const moonshot = openAiCompatible({
  kind: 'moonshot',
  title: 'Kimi (Moonshot AI)',
  baseUrl: 'https://api.moonshot.ai/v1',
  environment: ['MOONSHOT_API_KEY'],
  wires: ['openai-chat'],
  priceId: 'moonshotai',
  echoesReasoning: true,
});
