import { answerFilter } from './answer-filter.js';
import { at, covers, type Tree } from './config-tree.js';
import { chainOf, isRole } from './filter-role.js';
import { RESPONSE_ATTRIBUTES } from './filters.js';
import { METADATA_NAMESPACE, ROLE_ANSWER, TRANSLATED_KEY } from './names.js';

const MATCHER = at(chainOf([answerFilter()])[0]?.matched, 'predicate');

/**
 * The filter through which translated answers go.
 * @param place of the `request` filter, which must stand behind it
 */
export function checkAnswerFilter(filters: readonly Tree[], place: number): readonly string[] {
  const own = filters.findIndex((filter) => chainOf([filter]).some((made) => isRole(made.filter, ROLE_ANSWER)));
  const made = chainOf([filters[own]]).find(({ filter }) => isRole(filter, ROLE_ANSWER));
  if (made === undefined)
    return ['There is no ext_proc filter with the gRPC metadata role: answer, without which translated answers fail.'];
  const config = at(made.filter, 'typed_config');
  const wanted: readonly (readonly [boolean, string])[] = [
    [own < place, 'must stand before the request filter: answers pass filters backwards.'],
    [
      covers(at(made.matched, 'predicate'), MATCHER),
      `must run, judged once response headers are there, only where ${METADATA_NAMESPACE}.${TRANSLATED_KEY} says that the answer may be translated.`,
    ],
    [
      at(config, 'failure_mode_allow') !== true,
      "must not have failure_mode_allow: a provider's own words would go on to a client of another dialect.",
    ],
    [at(config, 'allow_mode_override') === true, 'needs allow_mode_override: true.'],
    [
      covers(at(config, 'processing_mode'), { request_header_mode: 'SKIP', response_header_mode: 'SEND' }),
      'needs processing_mode with request_header_mode: SKIP and response_header_mode: SEND.',
    ],
    [
      covers(at(config, 'response_attributes'), RESPONSE_ATTRIBUTES),
      `needs the response_attributes ${RESPONSE_ATTRIBUTES.join(', ')}.`,
    ],
    [
      covers(at(config, 'metadata_options', 'forwarding_namespaces', 'untyped'), [METADATA_NAMESPACE]),
      `must forward the metadata namespace ${METADATA_NAMESPACE}.`,
    ],
    [at(config, 'message_timeout') !== undefined, 'needs a message_timeout; the default of 200 ms is too short.'],
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => `The answer filter ${complaint}`);
}
