import { errorAnswer, jsonAnswer, type MockAnswer, type MockError } from './answer.js';
import type { JsonObject } from './json.js';

/** An error in one dialect's shape. */
export type ErrorWriter = (error: MockError) => MockAnswer;

const INVALID = 'invalid_request_error';

/** What real providers say with each status: type, code, message. */
const STATUSES: Readonly<Record<number, readonly [string, string | null, string]>> = {
  400: [INVALID, 'invalid_value', 'Invalid value for a parameter.'],
  401: [INVALID, 'invalid_api_key', 'Incorrect API key provided.'],
  403: ['permission_error', 'permission_denied', 'You are not allowed to use this model.'],
  404: [INVALID, 'model_not_found', 'The model does not exist or you do not have access to it.'],
  429: ['requests', 'rate_limit_exceeded', 'Rate limit reached for requests. Please try again in 1s.'],
  500: ['server_error', null, 'The server had an error while processing your request.'],
  502: ['server_error', null, 'Bad gateway.'],
  503: ['server_error', null, 'The engine is currently overloaded, please try again later.'],
  529: ['overloaded_error', null, 'Overloaded.'],
};

export function statusError(status: number): MockError {
  const [type, code, message] = STATUSES[status] ?? ['server_error', null, 'Error.'];
  return { status, type, code, message };
}

/** A member that is missing or wrong. */
export function badRequest(message: string): MockError {
  return { status: 400, message, type: INVALID, code: null };
}

export const NO_SUCH_URL: MockError = {
  status: 404,
  message: 'Unknown request URL.',
  type: INVALID,
  code: 'unknown_url',
};
export const BAD_JSON = badRequest('The body of the request is not a JSON object.');
export const MISSING_MODEL = badRequest('You must provide a model parameter.');
export const WRONG_KEY: MockError = { ...statusError(401), code: 'invalid_api_key' };

export function noModel(model: string): MockError {
  const message = `The model \`${model.slice(0, 100)}\` does not exist or you do not have access to it.`;
  return { status: 404, message, type: INVALID, code: 'model_not_found' };
}

export const openaiError: ErrorWriter = (error) => errorAnswer(error, retryAfter(error));

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: INVALID,
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** https://docs.claude.com/en/api/errors */
export const anthropicError: ErrorWriter = (error) => {
  const type = ANTHROPIC_TYPES[error.status] ?? 'api_error';
  const body = { type: 'error', error: { type, message: error.message }, request_id: 'req_mock' };
  const again = error.status < 429 ? { 'x-should-retry': 'false' } : {};
  return jsonAnswer(body, error.status, { 'request-id': 'req_mock', ...again, ...retryAfter(error) });
};

const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
};

/** https://cloud.google.com/apis/design/errors; the delay of a 429 is in the body only. */
export const googleError: ErrorWriter = (error) => jsonAnswer(googleErrorBody(error), error.status);

export function googleErrorBody({ status: code, message }: MockError): JsonObject {
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1s' };
  const details = code === 429 ? { details: [retry] } : {};
  return { error: { code, message, status: GOOGLE_STATUS[code] ?? 'UNAVAILABLE', ...details } };
}

const AWS_TYPES: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
};

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html: the name of the error is a header. */
export const awsError: ErrorWriter = ({ status, message }) => {
  const type = AWS_TYPES[status] ?? 'ServiceUnavailableException';
  return jsonAnswer({ message }, status, { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` });
};

export const cohereError: ErrorWriter = (error) =>
  jsonAnswer({ id: 'mock', message: error.message }, error.status, retryAfter(error));

function retryAfter({ status }: MockError): Readonly<Record<string, string>> {
  return status === 429 ? { 'retry-after': '1' } : {};
}
