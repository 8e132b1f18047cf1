import { type JsonScanResult, SLICED_ABOVE, scanJson, scanJsonInSlices, WatchedKeys } from '../codec/json-scan.js';
import { multipartBoundary, scanMultipart } from '../codec/multipart.js';
import type { Endpoint } from './endpoint.js';
import { GatewayError } from './error.js';
import { mediaType } from './media-type.js';
import { isModelName } from './model-name.js';
import type { ByteRange, RequestFacts } from './request-facts.js';
import { RequestReader } from './request-reader.js';

const OPTIONS = {
  watch: new WatchedKeys([
    'model',
    'stream',
    'stream_options',
    'stream_options.include_usage',
    'user',
    'safety_identifier',
    'metadata',
    'max_tokens',
    'max_completion_tokens',
    'max_output_tokens',
    'n',
    'best_of',
    'modalities',
    'audio',
    'tools',
    'functions',
    'metadata.user_id',
    'generationConfig',
    'generationConfig.maxOutputTokens',
    'generationConfig.candidateCount',
    'generation_config',
    'generation_config.max_output_tokens',
    'inferenceConfig',
    'inferenceConfig.maxTokens',
    'toolConfig',
  ]),
  maxDepth: 64,
  // Every turn of an agent has some twenty: a long session must not meet the bound.
  maxKeys: 100_000,
};

/**
 * Checks a request body and reads its facts in one pass, without parsing it. Returns (never throws) a GatewayError:
 * invalid_json, duplicate_key, json_too_deep, too_many_keys, missing_model, unsupported_parameter, unsupported_media_type.
 * For bodies above `SLICED_ABOVE` use `scanRequestInSlices`, which gives the same result.
 */
export function scanRequest(endpoint: Endpoint, body: Buffer, contentType: string): RequestFacts | GatewayError {
  const refusal = refuseMediaType(endpoint, contentType);
  if (refusal !== null) return refusal;
  if (endpoint.body === 'any') return opaque(endpoint, body);
  if (endpoint.body === 'multipart') return readForm(endpoint, body, contentType);
  return readJson(endpoint, body, scanJson(body, OPTIONS));
}

/** As `scanRequest`, without ever holding the event loop for long. */
export async function scanRequestInSlices(
  endpoint: Endpoint,
  body: Buffer,
  contentType: string,
): Promise<RequestFacts | GatewayError> {
  if (endpoint.body !== 'json' || body.length <= SLICED_ABOVE) return scanRequest(endpoint, body, contentType);
  const refusal = refuseMediaType(endpoint, contentType);
  return refusal ?? readJson(endpoint, body, await scanJsonInSlices(body, OPTIONS));
}

/** JSON under any JSON type or none at all (many scripts send none); a form must say so, it carries the boundary. */
export function refuseMediaType(endpoint: Endpoint, contentType: string): GatewayError | null {
  if (endpoint.body === 'any') return null;
  const type = mediaType(contentType);
  const wanted = endpoint.body === 'multipart' ? 'multipart/form-data' : 'application/json';
  const fits =
    endpoint.body === 'multipart' ? type === wanted : type === '' || /^(application|text)\/(.+\+)?json$/.test(type);
  if (fits) return null;
  return new GatewayError('unsupported_media_type', `The content type must be ${wanted}.`);
}

function readJson(endpoint: Endpoint, body: Buffer, scan: JsonScanResult): RequestFacts | GatewayError {
  if (scan.fault !== null) {
    const { code, message, offset, key } = scan.fault;
    return new GatewayError(code, `The request body cannot be used: ${message} (at byte ${offset}).`, { param: key });
  }
  for (const [name, key] of scan.variants) {
    if (name !== 'model') return new GatewayError('duplicate_key', `Write "${name}", not "${key}".`, { param: name });
  }
  return new RequestReader(endpoint, body, scan).facts();
}

function readForm(endpoint: Endpoint, body: Buffer, contentType: string): RequestFacts | GatewayError {
  const boundary = multipartBoundary(contentType);
  if (boundary === null) {
    return new GatewayError('invalid_json', 'The content type names no usable boundary (at most 70 characters).');
  }
  const form = scanMultipart(body, boundary, ['model', 'stream', 'user']);
  if (form.fault !== null) return new GatewayError('invalid_json', `The multipart body cannot be used: ${form.fault}.`);
  if (form.repeated !== null) {
    return new GatewayError('duplicate_key', `The form field "${form.repeated}" is repeated.`, {
      param: form.repeated,
    });
  }
  const range = form.fields.get('model');
  const model = range === undefined ? '' : body.toString('utf8', range.start, range.end);
  if (range === undefined || !isModelName(model)) {
    return new GatewayError('missing_model', 'The form needs a field "model".', { param: 'model' });
  }
  const stream = fieldText(body, form.fields.get('stream')).toLowerCase();
  if (!['', 'true', 'false', '1', '0'].includes(stream) || form.variants.has('stream')) {
    return new GatewayError('unsupported_parameter', 'The form field "stream" must be true or false.', {
      param: 'stream',
    });
  }
  return {
    format: 'multipart',
    wire: endpoint.wire,
    model,
    modelRange: range,
    stream: stream === 'true' || stream === '1',
    includeUsage: false,
    user: fieldText(body, form.fields.get('user')),
    metadata: null,
    maxOutputTokens: null,
    choices: 1,
    tools: false,
    inputBytes: body.length,
    inputTokensUpper: body.length,
    speaks: false,
    json: null,
  };
}

/** What is known of a request that nobody reads: how large it is, and who is asked. */
function opaque(endpoint: Endpoint, body: Buffer): RequestFacts | GatewayError {
  const { named } = endpoint;
  if (named !== undefined && !isModelName(named.model)) {
    return new GatewayError('missing_model', 'Name the model in the path: ?model=…', { param: 'model' });
  }
  return {
    format: 'bytes',
    wire: endpoint.wire,
    model: named?.model ?? `${endpoint.direct?.provider ?? ''}/raw`,
    modelRange: null,
    stream: named?.stream ?? false,
    includeUsage: true,
    user: '',
    metadata: null,
    maxOutputTokens: null,
    choices: 1,
    tools: false,
    inputBytes: body.length,
    inputTokensUpper: body.length,
    speaks: endpoint.wire === 'openai-realtime',
    json: null,
  };
}

function fieldText(body: Buffer, range: ByteRange | undefined): string {
  return range === undefined ? '' : body.toString('utf8', range.start, Math.min(range.end, range.start + 512));
}
