import { amountIn, type JsonObject, objectIn } from '../../json-value.js';
import { translationPair } from '../translation-pair.js';
import { unaryAnswer } from '../unary-answer.js';

/** Bedrock wants the whole request whose tokens it shall count, with the bound of an output that nobody will make. */
const OUTPUT = 4096;

/**
 * Anthropic's `count_tokens` by Bedrock's `CountTokens`, which takes the body that Claude would get by InvokeModel.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
export const countTokensToBedrock = translationPair<null>({
  from: 'anthropic-count-tokens',
  to: 'bedrock-count-tokens',
  write(request) {
    const body = Buffer.from(JSON.stringify(invokeBody(request))).toString('base64');
    return { body: { input: { invokeModel: { body } } }, memory: null };
  },
  read: () => unaryAnswer((answer) => ({ input_tokens: amountIn(answer, 'inputTokens') ?? 0 })),
});

function invokeBody({ model: _model, stream: _stream, ...request }: JsonObject): JsonObject {
  const budget = amountIn(objectIn(request, 'thinking'), 'budget_tokens') ?? 0;
  return { anthropic_version: 'bedrock-2023-05-31', max_tokens: budget + OUTPUT, ...request };
}
