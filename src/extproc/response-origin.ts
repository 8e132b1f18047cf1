import type { ResponseOrigin } from '../gateway/origin.js';
import type { ProcessingRequest } from './messages.js';
import { numberField, stringField } from './struct.js';

/** Envoy keys attributes by the name of the filter type. */
const ATTRIBUTES = 'envoy.filters.http.ext_proc';

/** Reads who really answered from the attributes of a response_headers message. */
export function responseOrigin(request: ProcessingRequest): ResponseOrigin {
  const attributes = request.attributes?.[ATTRIBUTES];
  const details = stringField(attributes, 'response.code_details') ?? '';
  return {
    upstream: details === 'via_upstream',
    details,
    attempts: numberField(attributes, 'upstream.request_attempt_count') ?? 0,
    cluster: stringField(attributes, 'xds.cluster_name') ?? null,
    failure: stringField(attributes, 'upstream.transport_failure_reason') ?? null,
  };
}
