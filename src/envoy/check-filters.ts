import { checkAnswerFilter } from './check-answer.js';
import { at, covers, hasType, items, type Tree } from './config-tree.js';
import { isRole } from './filter-role.js';
import { RESPONSE_ATTRIBUTES } from './filters.js';
import { GATE_KEY, GATE_PASS, METADATA_NAMESPACE, ROLE_REQUEST } from './names.js';

const PROCESSING_MODE = { request_body_mode: 'BUFFERED' };
const GATE = {
  sourced_metadata: {
    metadata_matcher: {
      filter: METADATA_NAMESPACE,
      path: [{ key: GATE_KEY }],
      value: { string_match: { exact: GATE_PASS } },
    },
  },
};

/** The `answer` filter, the `request` filter behind it, and the gate right behind that. */
export function checkRequestFilters(manager: Tree): readonly string[] {
  const filters = items(at(manager, 'http_filters'));
  const place = filters.findIndex((filter) => isRole(filter, ROLE_REQUEST));
  if (place < 0) return ['There is no ext_proc filter with the gRPC metadata role: request.'];
  return [
    ...checkAnswerFilter(filters, place),
    ...checkRequestFilter(filters[place]),
    ...checkSwitch(manager, filters[place]),
    ...checkGate(filters[place + 1]),
  ];
}

function checkRequestFilter(filter: Tree): readonly string[] {
  const config = at(filter, 'typed_config');
  const wanted: readonly (readonly [boolean, string])[] = [
    [
      at(config, 'failure_mode_allow') === true,
      'needs failure_mode_allow: true, or every running answer is cut when the service restarts (the gate keeps undecided requests out).',
    ],
    [at(config, 'allow_mode_override') === true, 'needs allow_mode_override: true.'],
    [covers(at(config, 'processing_mode'), PROCESSING_MODE), 'needs processing_mode.request_body_mode: BUFFERED.'],
    [
      !['request_header_mode', 'response_header_mode'].some((mode) => at(config, 'processing_mode', mode) === 'SKIP'),
      'must send request and response headers.',
    ],
    [
      covers(at(config, 'metadata_options', 'receiving_namespaces', 'untyped'), [METADATA_NAMESPACE]),
      `must receive the metadata namespace ${METADATA_NAMESPACE} (metadata_options.receiving_namespaces.untyped).`,
    ],
    [
      at(config, 'mutation_rules', 'allow_envoy') === true,
      'needs mutation_rules.allow_envoy: true, or the service cannot set the number of attempts.',
    ],
    [
      covers(at(config, 'response_attributes'), RESPONSE_ATTRIBUTES),
      `needs the response_attributes ${RESPONSE_ATTRIBUTES.join(', ')}.`,
    ],
    [at(config, 'message_timeout') !== undefined, 'needs a message_timeout; the default of 200 ms is too short.'],
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => `The request filter ${complaint}`);
}

/** A filter that is disabled must be switched on by the route, or the gate denies everything. */
function checkSwitch(manager: Tree, filter: Tree): readonly string[] {
  if (at(filter, 'disabled') !== true) return [];
  const name = String(at(filter, 'name'));
  const switches = (node: Tree) => at(node, 'typed_per_filter_config', name) !== undefined;
  const on = items(at(manager, 'route_config', 'virtual_hosts')).every(
    (host) => switches(host) || items(at(host, 'routes')).every(switches),
  );
  return on ? [] : ['The request filter is disabled, and no virtual host switches it on for all of its routes.'];
}

function checkGate(filter: Tree): readonly string[] {
  if (!hasType(filter, 'RBAC')) return ['Directly behind the request filter there must be the rbac gate.'];
  const rules = at(filter, 'typed_config', 'rules');
  const policies = Object.values((at(rules, 'policies') ?? {}) as Readonly<Record<string, Tree>>);
  const action = at(rules, 'action') ?? 'ALLOW';
  const tight = policies.length > 0 && policies.every((policy) => isGate(items(at(policy, 'permissions'))));
  return action === 'ALLOW' && tight
    ? []
    : [`The rbac gate must allow only requests whose metadata ${METADATA_NAMESPACE}.${GATE_KEY} is "${GATE_PASS}".`];
}

/** Permissions are alternatives: one that is wider would open the gate. */
function isGate(permissions: readonly Tree[]): boolean {
  return permissions.length > 0 && permissions.every((permission) => covers(permission, GATE));
}
