import { parse } from 'yaml';
import { ACCESS_LOG_FIELDS, ATTEMPT_LOG_FIELDS } from './access-log.js';
import { takesUpgrades } from './cds.js';
import { checkAttemptChain } from './check-chain.js';
import { checkRequestFilters } from './check-filters.js';
import { checkRoutes } from './check-routes.js';
import { at, covers, findAll, hasType, items, type Tree } from './config-tree.js';
import { SHAPED_PATHS } from './local-replies.js';
import {
  clusterName,
  METADATA_NAMESPACE,
  RID_METADATA,
  ROLE_METADATA,
  SERVICE_CLUSTER,
  upgradeClusterName,
} from './names.js';
import type { EnvoySettings } from './options.js';

/** What the check looks at in a configuration. */
export type CheckedSettings = Pick<EnvoySettings, 'providers'> & {
  readonly gateway: Pick<EnvoySettings['gateway'], 'bodyLimit' | 'workers'>;
};

/**
 * Tells what a hand-kept bootstrap lacks for this configuration, one sentence each; empty = it will work. It may have
 * more than the rendered one. Whether Envoy accepts the file is for `validateWithEnvoy`.
 */
export function checkEnvoyConfig(settings: CheckedSettings, yamlText: string): string[] {
  let tree: Tree;
  try {
    tree = parse(yamlText, { version: '1.1' });
  } catch (error) {
    return [`The file is not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`];
  }
  const manager = findManager(tree);
  if (manager === undefined) return ['There is no HTTP connection manager.'];
  return [
    ...checkRequestFilters(manager),
    ...checkAttemptChain(manager),
    ...checkRoutes(settings.gateway.bodyLimit, manager),
    ...checkManager(manager),
    ...checkRuntime(tree),
    ...checkClusters(settings, tree),
    ...checkWorkers(settings.gateway.workers ?? 1, tree),
  ];
}

/** The one with the request filter if there are several; else the first. */
function findManager(tree: Tree): Tree {
  const managers = findAll(tree, (node) => hasType(at(node, 'typed_config'), 'HttpConnectionManager')).map((filter) =>
    at(filter, 'typed_config'),
  );
  return managers.find((manager) => checkRequestFilters(manager).length === 0) ?? managers[0];
}

function checkManager(manager: Tree): readonly string[] {
  const mappers = items(at(manager, 'local_reply_config', 'mappers')).map((mapper) => JSON.stringify(mapper));
  const mapped = mappers.filter((mapper) => mapper.includes('rbac_access_denied'));
  const logs = (list: Tree, fields: Tree) =>
    items(list).some((log) => covers(at(log, 'typed_config', 'log_format', 'json_format'), fields));
  const logged = logs(at(manager, 'access_log'), ACCESS_LOG_FIELDS);
  const router = items(at(manager, 'http_filters')).find((filter) => hasType(filter, 'Router'));
  const attemptsLogged = logs(at(router, 'typed_config', 'upstream_log'), ATTEMPT_LOG_FIELDS);
  const wanted: readonly (readonly [boolean, string])[] = [
    [
      mapped.length > 0,
      'local_reply_config does not map rbac_access_denied: clients would see a bare 403 instead of a 503 in JSON.',
    ],
    [
      SHAPED_PATHS.every(({ below }) => mapped.some((mapper) => mapper.includes(`'${below}/'`))),
      "local_reply_config does not map rbac_access_denied to Anthropic's and Google's errors on their paths.",
    ],
    [
      logged,
      `There is no JSON access log with the fields ${Object.keys(ACCESS_LOG_FIELDS).join(', ')}: usage lost in a crash could not be settled.`,
    ],
    [
      attemptsLogged,
      `The router has no JSON upstream_log with the fields ${Object.keys(ATTEMPT_LOG_FIELDS).join(', ')}: attempts that failed before any answer would be missing in the records.`,
    ],
    [
      at(manager, 'use_remote_address') === true,
      'The connection manager needs use_remote_address: true, or clients may send internal headers.',
    ],
    [
      items(at(manager, 'early_header_mutation_extensions')).length > 0,
      'early_header_mutation_extensions must remove x-request-id, x-envoy-* and internal x-tollgate-* headers of clients.',
    ],
    [
      at(manager, 'generate_request_id') !== false && at(manager, 'preserve_external_request_id') !== true,
      'Request ids must be generated here: generate_request_id: true, preserve_external_request_id: false.',
    ],
  ];
  return wanted.filter(([holds]) => !holds).map(([, complaint]) => complaint);
}

const GRACEFUL_CLOSE = 'envoy.reloadable_features.ext_proc_graceful_grpc_close';

function checkRuntime(tree: Tree): readonly string[] {
  const layers = items(at(tree, 'layered_runtime', 'layers'));
  return layers.some((layer) => at(layer, 'static_layer', GRACEFUL_CLOSE) === true)
    ? []
    : [`layered_runtime needs ${GRACEFUL_CLOSE}: true, or connections to the service break under load.`];
}

function checkClusters(settings: CheckedSettings, tree: Tree): readonly string[] {
  const listed = new Set(items(at(tree, 'static_resources', 'clusters')).map((cluster) => at(cluster, 'name')));
  const dynamic = at(tree, 'dynamic_resources', 'cds_config') !== undefined;
  const accounts = dynamic ? [] : [...settings.providers.values()];
  const providers = accounts.flatMap((account) =>
    takesUpgrades(account)
      ? [clusterName(account.name), upgradeClusterName(account.name)]
      : [clusterName(account.name)],
  );
  return [SERVICE_CLUSTER, ...providers]
    .filter((name) => !listed.has(name))
    .map(
      (name) =>
        `There is no cluster ${name}${name === SERVICE_CLUSTER ? '' : ', and no cds_config that would bring it'}.`,
    );
}

/** One endpoint for each service process, and all streams of a request at the same one. */
function checkWorkers(workers: number, tree: Tree): readonly string[] {
  const clusters = items(at(tree, 'static_resources', 'clusters'));
  const service = clusters.find((cluster) => at(cluster, 'name') === SERVICE_CLUSTER);
  if (workers === 1 || service === undefined) return [];
  const endpoints = items(at(service, 'load_assignment', 'endpoints')).flatMap((group) =>
    items(at(group, 'lb_endpoints')),
  );
  const wanted: readonly (readonly [boolean, string])[] = [
    [endpoints.length === workers, `needs ${workers} endpoints, one for each of gateway.workers.`],
    [at(service, 'lb_policy') === 'RING_HASH', 'needs lb_policy: RING_HASH, or streams of one request are parted.'],
  ];
  const lacking = wanted
    .filter(([holds]) => !holds)
    .map(([, complaint]) => `The cluster ${SERVICE_CLUSTER} ${complaint}`);
  return [...lacking, ...checkRids(tree)];
}

/** Where the id is when a filter asks: in a header before the decision, in metadata after it. */
const RIDS: readonly string[] = ['%REQ(x-request-id)%', `%DYNAMIC_METADATA(${METADATA_NAMESPACE}:rid)%`];

/** By this id the cluster knows which streams belong together. */
function checkRids(tree: Tree): readonly string[] {
  const metadataOf = (call: Tree) => items(at(call, 'initial_metadata'));
  const roleOf = (call: Tree) => metadataOf(call).find((entry) => at(entry, 'key') === ROLE_METADATA);
  const says = (call: Tree) => RIDS.some((value) => covers(metadataOf(call), [{ key: RID_METADATA, value }]));
  return findAll(tree, (node) => roleOf(node) !== undefined && !says(node)).map(
    (call) =>
      `The ${at(roleOf(call), 'value')} filter needs ${RID_METADATA}: "${RIDS.join('", or later "')}" in grpc_service.initial_metadata.`,
  );
}
