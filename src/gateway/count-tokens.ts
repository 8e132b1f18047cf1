import { tokenFamily } from '../accounting/tokens/families.js';
import type { CountedRequest } from '../accounting/tokens/media-tokens.js';
import type { TokenCounter } from '../accounting/tokens/token-counter.js';
import type { Wire } from '../dialects/endpoint.js';
import { isObject, type JsonObject, objectIn, parseJson } from '../dialects/json-value.js';
import type { HeaderPair, Refuse } from './reply.js';

export interface CountAsk {
  readonly wire: Wire;
  readonly request: CountedRequest;
  /** `provider/model`: whose tokens are counted. */
  readonly target: string;
  /** Of the request. */
  readonly id: string;
}

/** How each dialect states a count. */
const SHAPES: Readonly<Partial<Record<Wire, (tokens: number) => JsonObject>>> = {
  'anthropic-count-tokens': (tokens) => ({ input_tokens: tokens }),
  'gemini-count-tokens': (tokens) => ({
    totalTokens: tokens,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }],
  }),
};

/** Endpoints that count and generate nothing, so that an estimate can stand for a provider that has no such call. */
export function canCountTokens(wire: Wire): boolean {
  return SHAPES[wire] !== undefined;
}

/** Answers a count from our own estimate, for targets whose provider cannot be asked. Never 0: nobody sends nothing. */
export function countTokensReply(tokens: Pick<TokenCounter, 'estimateInput'>, ask: CountAsk): Refuse {
  const shape = SHAPES[ask.wire];
  if (shape === undefined) throw new Error(`${ask.wire} counts no tokens`);
  const count = Math.max(1, tokens.estimateInput(unwrapped(ask.request), tokenFamily(ask.target)));
  const headers: HeaderPair[] = [['content-type', 'application/json']];
  if (ask.id !== '') headers.push(['x-request-id', ask.id]);
  return {
    kind: 'refuse',
    status: 200,
    headers,
    body: Buffer.from(JSON.stringify(shape(count))),
    details: 'tollgate_count_tokens',
  };
}

/** Google's clients may put the whole request they are about to send under a member of its own. */
function unwrapped(request: CountedRequest): CountedRequest {
  const { body, facts } = request;
  if (facts.json === null || !body.includes('generateContentRequest')) return request;
  const inner = objectIn(parseJson(body.toString()), 'generateContentRequest');
  if (!isObject(inner)) return request;
  const tools = inner['tools'];
  return {
    body: Buffer.from(JSON.stringify(inner)),
    facts: { ...facts, json: { ...facts.json, root: 0 }, tools: Array.isArray(tools) && tools.length > 0 },
  };
}
