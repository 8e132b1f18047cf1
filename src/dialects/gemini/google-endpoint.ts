import type { Endpoint, Wire } from '../endpoint.js';

/** The verbs of Google's API that Tollgate knows. */
export const GOOGLE_ACTION =
  /:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents|predict)$/;

const PATH = /^\/v1(?:beta)?\/models\/([^?#]+):([A-Za-z]+)(?:\?([^#]*))?$/;

const WIRES: ReadonlyMap<string, Wire> = new Map([
  ['generateContent', 'gemini-generate'],
  ['streamGenerateContent', 'gemini-generate'],
  ['countTokens', 'gemini-count-tokens'],
  ['embedContent', 'gemini-embed'],
  ['batchEmbedContents', 'gemini-embed'],
]);

/** `/v1beta/models/{model}:verb`, also under `/v1`, as newer Google clients call it; null for every other path. */
export function googleEndpoint(path: string): Endpoint | null {
  const [, encoded, verb = '', query = ''] = PATH.exec(path) ?? [];
  const wire = WIRES.get(verb);
  const model = encoded === undefined ? null : decoded(encoded);
  if (wire === undefined || model === null) return null;
  const sse = /(?:^|&)(?:\$)?alt=sse(?:&|$)/.test(query);
  return {
    path: `/v1beta/models/{model}:${verb}`,
    method: 'POST',
    wire,
    errors: 'google',
    body: 'json',
    upstreamPath: `:${verb}`,
    named: { model, stream: verb === 'streamGenerateContent', sse },
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
