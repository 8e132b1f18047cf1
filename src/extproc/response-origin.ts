import type { ResponseOrigin } from '../gateway/origin.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** Reads who really answered from the attributes of a response_headers message. */
export function responseOrigin(request: ProcessingRequest): ResponseOrigin {
  const attributes = request.attributes();
  const details = attributes.text('response.code_details') ?? '';
  return {
    upstream: details === 'via_upstream',
    details,
    attempts: attributes.number('upstream.request_attempt_count') ?? 0,
    cluster: attributes.text('xds.cluster_name') ?? null,
    failure: attributes.text('upstream.transport_failure_reason') ?? null,
  };
}
