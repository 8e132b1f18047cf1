import { ALL_WIRES, openAiCompatible } from './openai-compatible.js';

/** The built-in provider. Its base URL is known at run time only: it listens on a free port of this process. */
export const mock = openAiCompatible({
  kind: 'mock',
  title: 'Built-in mock',
  baseUrl: null,
  environment: [],
  wires: ALL_WIRES,
  priceId: null,
});
