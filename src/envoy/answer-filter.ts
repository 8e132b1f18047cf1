import { type FilterOptions, REQUEST_FILTER, RESPONSE_ATTRIBUTES, serviceCall } from './filters.js';
import { ANSWERED, firstThatHolds, metadataIs } from './matching.js';
import { METADATA_NAMESPACE, ROLE_ANSWER, TRANSLATED_KEY, TRANSLATED_YES } from './names.js';
import { duration, type EnvoyConfig, extension } from './typed-config.js';

/** The name of the filter with its matcher. */
export const ANSWER_FILTER = 'answer';

const DEFAULT_MESSAGE_TIMEOUT_MS = 5_000;

/**
 * The `answer` role: answers that the service writes anew in another dialect. It fails closed, unlike the `request` role:
 * the rest of such an answer, as the provider sends it, would mean nothing to the client, so without the service it is
 * cut (or is a 503 while its headers are held) and not one raw byte goes on.
 * It runs only where the service said in its decision that the answer may be translated. That is judged when the response
 * headers are there, because the filter must stand before the `request` filter: answers pass filters backwards, so the
 * `request` role has said its word by then and the two never wait at once. (Run on 1.40: with both waiting, the end of one
 * is a clean end of an empty answer.)
 */
export function answerFilter({
  messageTimeoutMs = DEFAULT_MESSAGE_TIMEOUT_MS,
  workers = 1,
}: FilterOptions = {}): EnvoyConfig {
  const filter = extension(REQUEST_FILTER, 'extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    stat_prefix: ROLE_ANSWER,
    grpc_service: serviceCall({ role: ROLE_ANSWER, rid: `%DYNAMIC_METADATA(${METADATA_NAMESPACE}:rid)%`, workers }),
    failure_mode_allow: false,
    status_on_error: { code: 'ServiceUnavailable' },
    message_timeout: duration(messageTimeoutMs),
    allow_mode_override: true,
    processing_mode: {
      request_header_mode: 'SKIP',
      request_body_mode: 'NONE',
      response_header_mode: 'SEND',
      response_body_mode: 'NONE',
      request_trailer_mode: 'SKIP',
      response_trailer_mode: 'SKIP',
    },
    response_attributes: RESPONSE_ATTRIBUTES,
    // The generation and the id by which the service finds the request.
    metadata_options: { forwarding_namespaces: { untyped: [METADATA_NAMESPACE] } },
  });
  const translated = metadataIs(METADATA_NAMESPACE, TRANSLATED_KEY, TRANSLATED_YES);
  // Made as late as that, it has not seen the request, and need not (`request_header_mode: SKIP`).
  const maybeTranslated = { and_matcher: { predicate: [ANSWERED, translated] } };
  return firstThatHolds(ANSWER_FILTER, [{ predicate: maybeTranslated, filters: [filter] }]);
}
