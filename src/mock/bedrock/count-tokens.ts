import { type Answerer, jsonAnswer } from '../answer.js';
import { promptOf as claudePrompt } from '../anthropic/request.js';
import { awsError, badRequest } from '../errors.js';
import { isObject, objectOr, textOr } from '../json.js';
import { promptOf } from './request.js';

/** `CountTokens`: of a request to `Converse`, or of one to `InvokeModel` as base64. */
export const countBedrockTokens: Answerer = (request) => {
  const { converse, invokeModel } = objectOr(request.body['input']);
  if (isObject(converse)) return jsonAnswer({ inputTokens: promptOf(converse).inputTokens });
  const body = parsed(Buffer.from(textOr(objectOr(invokeModel)['body']), 'base64').toString());
  if (body === null) return awsError(badRequest('The input must have converse or invokeModel.'));
  return jsonAnswer({ inputTokens: claudePrompt(objectOr(body)).inputTokens });
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
