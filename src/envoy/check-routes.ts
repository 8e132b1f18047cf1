import { REALTIME_PATH } from '../dialects/openai-realtime/endpoint.js';
import { at, covers, findAll, items, type Tree } from './config-tree.js';
import { REQUEST_FILTER } from './filters.js';
import { CLUSTER_HEADER, LONE_ROUTE, METADATA_NAMESPACE, ROUTES_METADATA } from './names.js';

/**
 * What every route needs, and those that leave bodies to providers.
 * @param bodyLimit bytes
 */
export function checkRoutes(bodyLimit: number, manager: Tree): readonly string[] {
  const hosts = items(at(manager, 'route_config', 'virtual_hosts'));
  const host = hosts.find((candidate) => items(at(candidate, 'routes')).some(readsTargets));
  const routes = items(at(host, 'routes')).filter((route) => readsTargets(route) || isLone(route));
  if (routes.length === 0) {
    return [
      `There is no route with the priority_group cluster specifier and override_metadata_namespace: ${METADATA_NAMESPACE}.`,
    ];
  }
  const limits = routes.map((route) =>
    Number(at(route, 'request_body_buffer_limit') ?? at(host, 'request_body_buffer_limit') ?? 0),
  );
  const limit = Math.min(...limits);
  const all = (holds: (route: Tree) => boolean) => routes.every((route) => holds(at(route, 'route')));
  const wanted: readonly (readonly [boolean, string])[] = [
    [
      all((route) => at(route, 'retry_policy', 'refresh_cluster_on_retry') === true),
      'The route needs retry_policy.refresh_cluster_on_retry: true, or every attempt goes to the first target.',
    ],
    [
      all((route) => at(route, 'timeout') === '0s'),
      'The route needs timeout: 0s; the default ends every stream after 15 s.',
    ],
    [all((route) => at(route, 'auto_host_rewrite') === true), 'The route needs auto_host_rewrite: true.'],
    [
      all((route) => retriesNothing(at(route, 'retry_policy'))),
      'The route needs retry_on: retriable-status-codes and no retriable_status_codes: the service adds to them for each request, and can take nothing away.',
    ],
    [
      !saysLone(manager) || isLone(routes.find((each) => at(each, 'match', 'path') !== REALTIME_PATH)),
      `The request filter says ${ROUTES_METADATA}: ${LONE_ROUTE} in its grpc_service.initial_metadata. Then a route for requests with the header ${CLUSTER_HEADER}, before all that would take them too, needs cluster_header: ${CLUSTER_HEADER}; it carries whatever has one provider only.`,
    ],
    [
      at(host, 'include_request_attempt_count') === true,
      'The virtual host needs include_request_attempt_count: true, by which the filters know a first attempt.',
    ],
    [
      routes.some((each) => at(each, 'match', 'path') === REALTIME_PATH && leavesBodies(each) && upgrades(each)),
      `A route for the path ${REALTIME_PATH} must allow upgrades to websocket and set request_body_mode: NONE for the request filter.`,
    ],
    [
      !routes.some((each) => at(each, 'match', 'path') !== REALTIME_PATH && upgrades(each)),
      `Only the route for ${REALTIME_PATH} may allow upgrades: elsewhere nobody reads what passes.`,
    ],
    [
      items(at(host, 'routes')).some((each) => at(each, 'match', 'prefix') === '/providers/' && leavesBodies(each)),
      'A route for the prefix /providers/ must set request_body_mode: NONE for the request filter, or large bodies under /providers are refused.',
    ],
    [
      limit >= bodyLimit,
      `The route or its virtual host needs request_body_buffer_limit: ${bodyLimit} (gateway.body_limit); it is ${limit}.`,
    ],
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => complaint);
}

/** Otherwise the service names a lone provider like several, in metadata. */
function saysLone(manager: Tree): boolean {
  return findAll(manager, (node) => covers(node, { key: ROUTES_METADATA, value: LONE_ROUTE })).length > 0;
}

function readsTargets(route: Tree): boolean {
  return covers(at(route, 'route', 'inline_cluster_specifier_plugin', 'extension'), SPECIFIER);
}

/** Takes requests whose attempts all go to one cluster. */
function isLone(route: Tree): boolean {
  const asked = covers(at(route, 'match', 'headers'), [{ name: CLUSTER_HEADER, present_match: true }]);
  return asked && at(route, 'match', 'prefix') === '/' && at(route, 'route', 'cluster_header') === CLUSTER_HEADER;
}

function retriesNothing(policy: Tree): boolean {
  const listed = items(at(policy, 'retriable_status_codes'));
  return at(policy, 'retry_on') === 'retriable-status-codes' && listed.length === 0;
}

function upgrades(route: Tree): boolean {
  return items(at(route, 'route', 'upgrade_configs')).some(
    (each) => at(each, 'upgrade_type') === 'websocket' && at(each, 'enabled') !== false,
  );
}

function leavesBodies(route: Tree): boolean {
  const overrides = at(route, 'typed_per_filter_config', REQUEST_FILTER, 'config', 'overrides');
  return at(overrides, 'processing_mode', 'request_body_mode') === 'NONE';
}

const SPECIFIER = { typed_config: { override_metadata_namespace: METADATA_NAMESPACE } };
