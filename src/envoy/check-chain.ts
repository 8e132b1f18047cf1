import { ATTEMPT_RESPONSE_ATTRIBUTES, CREDENTIAL_HEADERS } from './attempt-chain.js';
import { at, covers, hasType, items, type Tree } from './config-tree.js';
import { type ChainedFilter, chainOf, isRole } from './filter-role.js';
import { ATTEMPT_NAMESPACE, METADATA_NAMESPACE, PEEK_HEADER, ROLE_AGAIN, ROLE_PEEK } from './names.js';

/** The filters of every attempt, in the router: peek, wipe the credentials, prepare again, content-length, strip, codec. */
export function checkAttemptChain(manager: Tree): readonly string[] {
  const router = items(at(manager, 'http_filters')).find((filter) => hasType(filter, 'Router'));
  if (router === undefined) return ['There is no router filter.'];
  const config = at(router, 'typed_config');
  const chain = chainOf(items(at(config, 'upstream_http_filters')));
  const places = STEPS.map((step) => chain.findIndex(({ filter }) => step.is(filter)));
  const missing = STEPS.filter((_, index) => places[index] === -1).map(
    (step) => `The router's upstream_http_filters lack ${step.what}.`,
  );
  const present = places.filter((place) => place >= 0);
  // One filter may do two steps that follow each other.
  const ordered = present.every((place, index) => index === 0 || place >= (present[index - 1] ?? -1));
  return [
    ...(at(config, 'suppress_envoy_headers') === true ? [] : ['The router needs suppress_envoy_headers: true.']),
    ...missing,
    ...(ordered
      ? []
      : [`The router's upstream_http_filters must stand in this order: ${STEPS.map((step) => step.name).join(', ')}.`]),
    ...checkPeek(chain.find(({ filter }) => isRole(filter, ROLE_PEEK))),
    ...checkAgain(chain.find(({ filter }) => isRole(filter, ROLE_AGAIN))?.filter),
  ];
}

interface Step {
  readonly name: string;
  readonly what: string;
  readonly is: (filter: Tree) => boolean;
}

const requestMutations = (filter: Tree) => items(at(filter, 'typed_config', 'mutations', 'request_mutations'));

const STEPS: readonly Step[] = [
  {
    name: 'peek',
    what: 'the ext_proc filter with the gRPC metadata role: peek',
    is: (filter) => isRole(filter, ROLE_PEEK),
  },
  {
    name: 'wipe_credentials',
    what: `a header_mutation that removes ${CREDENTIAL_HEADERS.join(', ')} before another attempt`,
    is: (filter) =>
      covers(
        requestMutations(filter),
        CREDENTIAL_HEADERS.map((header) => ({ remove: header })),
      ),
  },
  {
    name: 'again',
    what: 'the ext_proc filter with the gRPC metadata role: again',
    is: (filter) => isRole(filter, ROLE_AGAIN),
  },
  {
    name: 'content_length',
    what: `a header_mutation that adds content-length from the metadata ${ATTEMPT_NAMESPACE}`,
    is: (filter) => covers(requestMutations(filter), [{ append: { header: { key: 'content-length' } } }]),
  },
  {
    name: 'strip',
    what: 'a header_mutation that removes x-request-id and x-tollgate-*',
    is: (filter) => covers(requestMutations(filter), [{ remove: 'x-request-id' }]),
  },
  { name: 'upstream_codec', what: 'upstream_codec at the end', is: (filter) => hasType(filter, 'UpstreamCodec') },
];

type Wanted = readonly (readonly [boolean, string])[];

/** What both roles need to see an answer before the router judges it. */
function responsePart(config: Tree): Wanted {
  return [
    [
      covers(at(config, 'processing_mode'), { response_header_mode: 'SEND', response_body_mode: 'STREAMED' }),
      'needs processing_mode with response_header_mode: SEND and response_body_mode: STREAMED.',
    ],
    [
      at(config, 'send_body_without_waiting_for_header_response') === true,
      'needs send_body_without_waiting_for_header_response: true, or it cannot see a first token before it answers.',
    ],
    [
      covers(at(config, 'response_attributes'), ATTEMPT_RESPONSE_ATTRIBUTES),
      `needs the response_attributes ${ATTEMPT_RESPONSE_ATTRIBUTES.join(', ')}.`,
    ],
  ];
}

function checkPeek(peek: ChainedFilter | undefined): readonly string[] {
  if (peek === undefined) return [];
  const config = at(peek.filter, 'typed_config');
  const wanted: Wanted = [
    [
      JSON.stringify(matcherOf(peek.matched)).includes(`"${PEEK_HEADER}"`),
      `must run on first attempts with ${PEEK_HEADER}: 1 only, or every request pays for it.`,
    ],
    [
      at(config, 'failure_mode_allow') === true,
      'needs failure_mode_allow: true, or held answers are lost when the service restarts.',
    ],
    [
      covers(at(config, 'metadata_options'), {
        receiving_namespaces: { untyped: [METADATA_NAMESPACE] },
        forwarding_namespaces: { untyped: [METADATA_NAMESPACE] },
      }),
      `must receive and forward the metadata namespace ${METADATA_NAMESPACE}.`,
    ],
    ...responsePart(config),
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => `The peek filter ${complaint}`);
}

/** What decides: of a filter of its own, or of its case among others. */
function matcherOf(matched: Tree): Tree {
  return at(matched, 'typed_config', 'xds_matcher') ?? at(matched, 'predicate') ?? null;
}

function checkAgain(filter: Tree): readonly string[] {
  if (filter === undefined) return [];
  const config = at(filter, 'typed_config');
  const wanted: Wanted = [
    [
      at(config, 'failure_mode_allow') !== true,
      "must not have failure_mode_allow: it would send one provider's request to another.",
    ],
    [
      covers(at(config, 'metadata_options'), {
        receiving_namespaces: { untyped: [ATTEMPT_NAMESPACE, METADATA_NAMESPACE] },
        forwarding_namespaces: { untyped: [METADATA_NAMESPACE] },
      }),
      `must receive the metadata namespaces ${ATTEMPT_NAMESPACE} and ${METADATA_NAMESPACE}, and forward ${METADATA_NAMESPACE}.`,
    ],
    [
      covers(at(config, 'request_attributes'), ['xds.cluster_name', 'upstream.request_attempt_count']),
      'needs the request_attributes xds.cluster_name and upstream.request_attempt_count.',
    ],
    ...responsePart(config),
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => `The again filter ${complaint}`);
}
