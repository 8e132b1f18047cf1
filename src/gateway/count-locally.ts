import type { GatewayError } from '../dialects/error.js';
import { canCountTokens, countTokensReply } from './count-tokens.js';
import { checkAccess, modelNotFound, type ScannedRequest } from './decide.js';
import type { Parts } from './parts.js';
import type { Refuse } from './reply.js';
import type { RequestState } from './state.js';
import { wayTo } from './way.js';

/**
 * The answer to a question for tokens whose model has no target that counts them: an estimate of ours, without limits and without
 * an entry in the ledger, because nothing is used. null: a provider can be asked, or it is another question.
 */
export function countLocally(parts: Parts, state: RequestState, request: ScannedRequest): Refuse | GatewayError | null {
  const { endpoint, rules } = state;
  if (!endpoint || endpoint.direct !== undefined || !canCountTokens(endpoint.wire)) return null;
  const denied = checkAccess(state, request.facts.model);
  if (denied) return denied;
  const resolution = rules.resolver.resolve(request.facts.model);
  const target = resolution?.targets[0];
  if (!resolution || !target) return modelNotFound(parts, state, request.facts.model);
  if (resolution.targets.some((each) => wayTo(parts, state, each) !== null)) return null;
  state.asked = request.facts.model;
  state.status = 200;
  return countTokensReply(parts.tokens, { wire: endpoint.wire, request, target: target.name, id: state.id });
}
