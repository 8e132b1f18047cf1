import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';

/** `logprobsResult` of a candidate as `choices[].logprobs`; null when there is none. */
export function writeLogprobs(candidate: JsonObject): JsonObject | null {
  const result = objectIn(candidate, 'logprobsResult');
  const chosen = listIn(result, 'chosenCandidates').filter(isObject);
  if (chosen.length === 0) return null;
  const top = listIn(result, 'topCandidates');
  const content = chosen.map((token, index) => ({
    ...tokenOf(token),
    top_logprobs: listIn(top[index], 'candidates').filter(isObject).map(tokenOf),
  }));
  return { content, refusal: null };
}

function tokenOf(from: JsonObject): JsonObject {
  const token = stringIn(from, 'token') ?? '';
  const logprob = from['logProbability'];
  return { token, logprob: typeof logprob === 'number' ? logprob : 0, bytes: [...Buffer.from(token)] };
}
