import { CREDENTIAL_HEADERS } from './attempt-chain.js';
import { isRole } from './check-filters.js';
import { at, covers, hasType, items, type Tree } from './config-tree.js';
import { ATTEMPT_NAMESPACE, METADATA_NAMESPACE, RID_METADATA, ROLE_AGAIN } from './names.js';

/** The filters of every attempt, in the router: wipe the credentials, prepare again, content-length, strip, codec. */
export function checkAttemptChain(manager: Tree): readonly string[] {
  const router = items(at(manager, 'http_filters')).find((filter) => hasType(filter, 'Router'));
  if (router === undefined) return ['There is no router filter.'];
  const config = at(router, 'typed_config');
  const chain = items(at(config, 'upstream_http_filters')).map(unwrapped);
  const places = STEPS.map((step) => chain.findIndex(step.is));
  const missing = STEPS.filter((_, index) => places[index] === -1).map(
    (step) => `The router's upstream_http_filters lack ${step.what}.`,
  );
  const present = places.filter((place) => place >= 0);
  const ordered = present.every((place, index) => index === 0 || place > (present[index - 1] ?? -1));
  return [
    ...(at(config, 'suppress_envoy_headers') === true ? [] : ['The router needs suppress_envoy_headers: true.']),
    ...missing,
    ...(ordered
      ? []
      : [`The router's upstream_http_filters must stand in this order: ${STEPS.map((step) => step.name).join(', ')}.`]),
    ...checkAgain(chain.find((filter) => isRole(filter, ROLE_AGAIN))),
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

function checkAgain(filter: Tree): readonly string[] {
  if (filter === undefined) return [];
  const config = at(filter, 'typed_config');
  const wanted: readonly (readonly [boolean, string])[] = [
    [
      at(config, 'failure_mode_allow') !== true,
      "must not have failure_mode_allow: it would send one provider's request to another.",
    ],
    [
      covers(at(config, 'metadata_options'), {
        receiving_namespaces: { untyped: [ATTEMPT_NAMESPACE] },
        forwarding_namespaces: { untyped: [METADATA_NAMESPACE] },
      }),
      `must receive the metadata namespace ${ATTEMPT_NAMESPACE} and forward ${METADATA_NAMESPACE}.`,
    ],
    [
      covers(at(config, 'request_attributes'), ['xds.cluster_name', 'upstream.request_attempt_count']),
      'needs the request_attributes xds.cluster_name and upstream.request_attempt_count.',
    ],
    [
      covers(at(config, 'grpc_service', 'initial_metadata'), [
        { key: RID_METADATA, value: `%DYNAMIC_METADATA(${METADATA_NAMESPACE}:rid)%` },
      ]),
      `needs ${RID_METADATA}: "%DYNAMIC_METADATA(${METADATA_NAMESPACE}:rid)%" in grpc_service.initial_metadata.`,
    ],
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => `The again filter ${complaint}`);
}

/** The filter inside an ExtensionWithMatcher. */
function unwrapped(filter: Tree): Tree {
  return hasType(filter, 'ExtensionWithMatcher') ? at(filter, 'typed_config', 'extension_config') : filter;
}
