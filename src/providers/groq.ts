import { openAiCompatible } from './openai-compatible.js';

export const groq = openAiCompatible({
  kind: 'groq',
  title: 'Groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  environment: ['GROQ_API_KEY'],
  wires: ['openai-chat', 'openai-responses', 'openai-speech', 'openai-transcription'],
  priceId: 'groq',
});
