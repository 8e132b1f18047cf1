import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { RECOGNISED_PATH } from '../../src/dialects/direct-endpoint.js';
import { errorShapeForPath, matchEndpoint } from '../../src/dialects/endpoints.js';
import { findEnvoy } from '../../src/envoy/binary.js';
import { renderBootstrap, renderBootstrapYaml } from '../../src/envoy/bootstrap.js';
import { findCaBundle } from '../../src/envoy/ca-bundle.js';
import { renderClusters, writeClusters } from '../../src/envoy/cds.js';
import { checkEnvoyConfig } from '../../src/envoy/check-bootstrap.js';
import { anythingBut } from '../../src/envoy/client-headers.js';
import { defaultBootstrapYaml } from '../../src/envoy/default-bootstrap.js';
import { SHAPED_PATHS, type ShapedPaths } from '../../src/envoy/local-replies.js';
import { clusterName, providerOfCluster, upgradeClusterName } from '../../src/envoy/names.js';
import type { BootstrapOptions } from '../../src/envoy/options.js';
import { validateWithEnvoy } from '../../src/envoy/validate.js';
import { settings } from './snapshots.js';

const found = findEnvoy('auto', process.env);
if (!('path' in found)) throw new Error(found.problem);
const binary = found.path;

const certificate = join(process.cwd(), 'test/envoy/localhost.crt');
const key = join(process.cwd(), 'test/envoy/localhost.key');
const directory = mkdtempSync(join(tmpdir(), 'tollgate-bootstrap-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

const options: BootstrapOptions & { readonly cdsPath: string } = {
  socket: join(directory, 'extproc.sock'),
  cdsPath: join(directory, 'cds.json'),
  accessLogPath: join(directory, 'access.jsonl'),
  attemptLogPath: join(directory, 'attempts.jsonl'),
  caBundle: certificate,
};

const PROVIDERS = {
  openai: 'https://api.openai.com/v1',
  private: 'https://llm.example.net:8443/v1',
  four: 'https://10.1.2.3/v1',
  six: 'http://[::1]:11434/v1',
  plain: 'http://localhost:8000/v1',
};

function validate(name: string, text: string): Promise<readonly string[]> {
  const path = join(directory, name);
  writeFileSync(path, text);
  return validateWithEnvoy(binary, path);
}

t.test('the committed bootstrap is the rendered one, and Envoy accepts it', async (t) => {
  const text = defaultBootstrapYaml();
  t.equal(readFileSync(join(process.cwd(), 'envoy/envoy.yaml'), 'utf8'), text);
  t.same(checkEnvoyConfig(settings({ bodyLimit: 32 * 1024 * 1024 }), text), []);
  await writeClusters(options.cdsPath, renderClusters(settings(), options));
  const local = text
    .replaceAll('/run/tollgate/', `${directory}/`)
    .replaceAll('/var/lib/tollgate/envoy/', `${directory}/`);
  t.same(await validate('default.yaml', local), []);
});

t.test('Envoy accepts every kind of provider, TLS for clients and IPv6', async (t) => {
  const config = settings({ providers: PROVIDERS, tls: { certificate, key }, host: '::1' });
  t.same(await validate('static.yaml', renderBootstrapYaml(config, { ...options, cdsPath: null })), []);
  t.same(checkEnvoyConfig(config, renderBootstrapYaml(config, { ...options, cdsPath: null })), []);
  t.match(await validate('broken.yaml', 'static_resources: { listeners: [{ nme: x }] }'), [/nme/]);
});

t.test('several workers: an endpoint for each, all streams of a request at one', async (t) => {
  const plain = settings();
  const two = { ...plain, gateway: { ...plain.gateway, workers: 2 } };
  const text = renderBootstrapYaml(two, options);
  t.match(text, /extproc\.sock\n[\s\S]*extproc-worker-1\.sock\n/);
  t.same(checkEnvoyConfig(two, text), []);
  t.same(await validate('workers.yaml', text), []);
  t.match(checkEnvoyConfig(two, renderBootstrapYaml(plain, options)), [/needs 2 endpoints/]);
  t.match(checkEnvoyConfig(two, text.replace('RING_HASH', 'ROUND_ROBIN')), [/needs lb_policy: RING_HASH/]);
  const unnamed = text.replaceAll('key: x-rid', 'key: other');
  t.match(checkEnvoyConfig(two, unnamed), [
    /answer filter needs x-rid/,
    /request filter/,
    /peek filter/,
    /again filter/,
  ]);
  t.notMatch(renderBootstrapYaml(plain, options), /x-rid|RING_HASH/, 'a lone process need not be chosen');
});

/** The base URL of a cluster's provider. */
function originOf(cluster: Readonly<Record<string, unknown>>): string {
  const provider = providerOfCluster(String(cluster['name'])) ?? '';
  return PROVIDERS[provider as keyof typeof PROVIDERS];
}

t.test('a provider cluster speaks to the host of base_url, and to nobody else', (t) => {
  const { resources, version_info } = renderClusters(settings({ providers: PROVIDERS }), options);
  const shown = resources.map((cluster) => {
    const text = JSON.stringify(cluster);
    const host = /"hostname":"([^"]+)"/.exec(text)?.[1];
    const sni = /"sni":"([^"]+)"/.exec(text)?.[1] ?? null;
    const san = /"san_type":"(\w+)","matcher":\{"exact":"([^"]+)"/.exec(text)?.slice(1) ?? null;
    return [cluster['name'], cluster['type'] ?? 'dns', host, sni, san];
  });
  const known = [
    ['openai', 'dns', 'api.openai.com', 'api.openai.com', ['DNS', 'api.openai.com']],
    ['private', 'dns', 'llm.example.net:8443', 'llm.example.net', ['DNS', 'llm.example.net']],
    ['four', 'STATIC', '10.1.2.3', null, ['IP_ADDRESS', '10.1.2.3']],
    ['six', 'STATIC', '[::1]:11434', null, null],
    ['plain', 'dns', 'localhost:8000', null, null],
  ];
  const twice = known.flatMap(([name, ...rest]) => [
    [`provider-${name}`, ...rest],
    [`upgrade-${name}`, ...rest],
  ]);
  t.same(shown, twice, 'each has a cluster for WebSockets beside it');
  for (const cluster of resources) {
    const upgrades = String(cluster['name']).startsWith('upgrade-');
    t.equal(
      JSON.stringify(cluster).includes('http2_protocol_options'),
      !upgrades && /https/.test(originOf(cluster)),
      'in HTTP/1.1',
    );
  }
  t.equal(renderClusters(settings({ providers: PROVIDERS }), options).version_info, version_info);
  t.not(renderClusters(settings(), options).version_info, version_info);
  t.end();
});

t.test('cluster names lead back to providers', (t) => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z0-9][a-z0-9._-]*$/),
      (name) => providerOfCluster(clusterName(name)) === name && providerOfCluster(upgradeClusterName(name)) === name,
    ),
  );
  for (const other of ['tollgate', 'none', 'provider-', '']) t.equal(providerOfCluster(other), null, other);
  t.end();
});

t.test('the pattern for internal headers matches all but the words', (t) => {
  const word = fc.stringMatching(/^[a-z]{0,5}$/);
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 4 }),
      fc.stringMatching(/^[a-z0-9_-]{0,6}$/),
      (words, text) => {
        const pattern = new RegExp(`^(?:${anythingBut(words)})$`);
        return pattern.test(text) === !words.includes(text) && words.every((one) => !pattern.test(one));
      },
    ),
  );
  t.pass('for any words');
  t.end();
});

t.test('replies of Envoy are in the shape that the service would choose', (t) => {
  const piece = fc.constantFrom(
    '/',
    'v1',
    'v1beta',
    'messages',
    'models',
    'm',
    'x:',
    'generateContent',
    ':predict',
    '?a=/v1',
  );
  const shapeOf = (path: string) => {
    const bare = path.split('?', 1)[0] ?? '';
    const fits = ({ below, endings }: ShapedPaths) =>
      (endings.length === 0 && bare === below) ||
      (bare.startsWith(`${below}/`) && (endings.length === 0 || endings.some((ending) => bare.endsWith(ending))));
    return SHAPED_PATHS.find(fits)?.shape ?? 'openai';
  };
  const agrees = (path: string) => path.startsWith('/providers/') || shapeOf(path) === errorShapeForPath(path);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => agrees(`/${pieces.join('')}`)),
    { numRuns: 5_000 },
  );
  const known = [
    '/v1/messages/count_tokens?beta=true',
    '/v1beta/models',
    '/v1/models/g:countTokens',
    '/v1/models/o:8b',
  ];
  t.same(known.map(shapeOf), ['anthropic', 'google', 'google', 'openai']);
  t.end();
});

t.test('the route and the service agree on which bodies are read', (t) => {
  const piece = fc.constantFrom(
    ...['', '/', '/v1', '/v1beta', '/openai', '/chat/completions', '/chat', '/completions', '/messages', '/responses'],
    ...['/messages/count_tokens', '/models/m', '/models/m:generateContent', '/projects/p/publishers/google', '/files'],
    ...['/model/m/converse', '/model/m/converse-stream', '/model/m/invoke', '/images/generations', '/x:y', '/rerank'],
    ...['/models/m:predict', '/audio/speech', 's', '/embeddings', '/moderations', '.'],
  );
  const recognised = new RegExp(`^(?:${RECOGNISED_PATH})$`);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const path = `/providers/p${pieces.join('')}`;
      const endpoint = matchEndpoint('POST', `${path}?q=/chat/completions`);
      // What Envoy leaves unseen may not be wanted whole; the other way round the service can still say so.
      return endpoint === null || endpoint.wire === 'raw' || recognised.test(path);
    }),
    { numRuns: 5_000 },
  );
  t.ok(recognised.test('/providers/p/v1/chat/completions'));
  t.notOk(recognised.test('/providers/p/v1/files'));
  t.notOk(recognised.test('/v1/chat/completions'));
  t.end();
});

t.test('the CA bundle: asked for, the system’s, or our own', (t) => {
  const own = join(directory, 'ca.pem');
  t.equal(findCaBundle(own, { SSL_CERT_FILE: certificate }), certificate);
  t.throws(() => findCaBundle(own, { SSL_CERT_FILE: '/nowhere.pem' }), /nowhere/);
  t.equal(findCaBundle(own, {}, ['/nowhere.pem', certificate]), certificate);
  t.notOk(existsSync(own));
  t.equal(findCaBundle(own, {}, []), own);
  t.ok(new X509Certificate(readFileSync(own)).subject);
  t.end();
});

t.test('what a hand-kept bootstrap lacks is told in sentences', (t) => {
  const config = settings({ providers: { openai: PROVIDERS.openai } });
  const rendered = stringify(renderBootstrap(config, { ...options, cdsPath: null }), { aliasDuplicateObjects: false });
  t.same(checkEnvoyConfig(config, rendered), []);
  const cases: readonly (readonly [RegExp, (text: string) => string])[] = [
    [/not YAML/, () => 'a: [1'],
    [/no HTTP connection manager/, () => 'static_resources: {}'],
    [
      /request filter needs failure_mode_allow: true/,
      (text) => text.replace('failure_mode_allow: true', 'failure_mode_allow: false'),
    ],
    [/rbac gate must allow only/, (text) => text.replace('exact: pass', 'exact: perhaps')],
    [/rbac gate must allow only/, (text) => text.replace('action: ALLOW', 'action: LOG')],
    [/must be the rbac gate/, (text) => text.replace(/v3\.RBAC/, 'v3.Buffer')],
    [/role: request/, (text) => text.replace('value: request', 'value: down')],
    [/no virtual host switches it on/, (text) => text.replace('typed_per_filter_config', 'metadata')],
    [/no virtual host switches it on/, (text) => text.replaceAll('typed_per_filter_config', 'metadata')],
    [/for the path \/v1\/realtime/, (text) => text.replace('path: /v1/realtime', 'path: /v1/other')],
    [
      /Only the route for/,
      (text) =>
        text.replace(
          /name: unseen\n(\s+)match:[\s\S]*?route:\n/,
          (found, indent: string) => `${found}${indent}  upgrade_configs: [{ upgrade_type: websocket }]\n`,
        ),
    ],
    [/cluster_header: x-tollgate-cluster/, (text) => text.replace('cluster_header: x-tollgate', 'cluster_header: x')],
    [
      /before all that would take them too/,
      (text) => text.replace(/(- name: x-tollgate-cluster\s+)present_match: true/, '$1present_match: false'),
    ],
    [/no cluster upgrade-openai/, (text) => text.replace('name: upgrade-openai', 'name: upgrade')],
    [/bodies under \/providers/, (text) => text.replace('prefix: /providers/', 'prefix: /elsewhere/')],
    [/role: again/, (text) => text.replace('value: again', 'value: up')],
    [/role: peek/, (text) => text.replace('value: peek', 'value: up')],
    [
      /peek filter must run on first attempts/,
      (text) => text.replace('header_name: x-tollgate-peek', 'header_name: x'),
    ],
    [/peek filter needs send_body_without/, (text) => text.replace('header_response: true', 'header_response: false')],
    [/no JSON upstream_log/, (text) => text.replace(/connection: .*\n(\s+cluster)/, 'connection: x\n$1')],
    [/removes authorization/, (text) => text.replace('remove: x-api-key', 'remove: x-other')],
    [/role: answer/, (text) => text.replace('value: answer', 'value: reply')],
    [
      /answer filter must not have failure_mode_allow/,
      (text) => text.replace('failure_mode_allow: false', 'failure_mode_allow: true'),
    ],
    [/answer filter must run, judged/, (text) => text.replace('key: translated', 'key: other')],
    [/answer filter must forward/, (text) => text.replace(/(forwarding_namespaces:\s+untyped:\s+- )tollgate/, '$1x')],
    [
      /again filter must not have failure_mode_allow/,
      (text) => text.replaceAll('failure_mode_allow: false', 'failure_mode_allow: true'),
    ],
    [
      /refresh_cluster_on_retry/,
      (text) => text.replace('refresh_cluster_on_retry: true', 'refresh_cluster_on_retry: false'),
    ],
    [
      /priority_group/,
      (text) => text.replaceAll('override_metadata_namespace: tollgate', 'override_metadata_namespace: x'),
    ],
    [
      /request_body_buffer_limit: 1048576/,
      (text) => text.replace('request_body_buffer_limit: 1048576', 'request_body_buffer_limit: 9'),
    ],
    [/needs retry_on: retr/, (text) => text.replace('retry_on: retriable-status-codes', 'retry_on: 5xx')],
    [/ext_proc_graceful_grpc_close/, (text) => text.replace('grpc_close: true', 'grpc_close: false')],
    [/no cluster provider-openai/, (text) => text.replace('name: provider-openai', 'name: openai')],
    [/no cluster tollgate/, (text) => text.replace('- name: tollgate\n', '- name: other\n')],
    [/bare 403/, (text) => text.replaceAll('rbac_access_denied', 'rbac')],
    [/Google's errors/, (text) => text.replaceAll('/v1beta', '/v2beta')],
    [/no JSON access log/, (text) => text.replace('%BYTES_RECEIVED%', '-')],
    [/use_remote_address/, (text) => text.replace('use_remote_address: true', 'use_remote_address: false')],
  ];
  for (const [complaint, change] of cases) {
    const changed = change(rendered);
    t.not(changed, rendered, `${complaint} has its case`);
    t.match(checkEnvoyConfig(config, changed).join('\n'), complaint);
  }
  t.end();
});

t.test('answers are translated behind what the request filter has said of them', (t) => {
  const config = settings();
  const tree = parse(JSON.stringify(renderBootstrap(config, options)));
  const { http_filters: filters } = tree.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  filters.splice(3, 0, ...filters.splice(1, 1));
  t.match(checkEnvoyConfig(config, JSON.stringify(tree)), [/answer filter must stand before the request filter/]);
  t.end();
});

t.test('the route for one provider stands before those that read a list', async (t) => {
  const config = settings();
  const tree = parse(JSON.stringify(renderBootstrap(config, options)));
  const { routes } =
    tree.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0];
  routes.splice(2, 0, ...routes.splice(1, 1));
  t.match(checkEnvoyConfig(config, JSON.stringify(tree)), [/before all that would take them too/]);
  const [, list = {}, lone = {}] = routes;
  t.match([list.name, lone.name], ['recognised', 'lone']);
  routes.splice(2, 1);
  t.match(
    checkEnvoyConfig(config, JSON.stringify(tree)),
    [/before all that would take them too/],
    'it is said to be there',
  );
  const older = JSON.stringify(tree).replace(
    '{"key":"routes","value":"lone"}',
    '{"key":"x-rid","value":"%REQ(x-request-id)%"}',
  );
  t.same(checkEnvoyConfig(config, older), [], 'a bootstrap from before it needs none');
  t.end();
});

t.test('the steps of an attempt must stand in order', (t) => {
  const config = settings();
  const tree = parse(JSON.stringify(renderBootstrap(config, options)));
  const manager = tree.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const chain = manager.http_filters.at(-1).typed_config.upstream_http_filters;
  const complaints = () => checkEnvoyConfig(config, JSON.stringify(tree)).join('\n');
  const wrong = /must stand in this order: peek, wipe_credentials, again/;
  t.equal(complaints(), '');
  chain.splice(1, 0, ...chain.splice(0, 1));
  t.match(complaints(), wrong, 'stripped before the attempt is prepared');
  chain.splice(1, 0, ...chain.splice(0, 1));
  const [, later] = chain[0].typed_config.xds_matcher.matcher_list.matchers;
  later.on_match.action.typed_config.filter_chain.typed_config.reverse();
  t.match(complaints(), wrong, 'credentials wiped after the attempt was prepared');
  t.end();
});

t.test('cds.json is replaced in one step', async (t) => {
  mkdirSync(join(directory, 'run'));
  const path = join(directory, 'run', 'cds.json');
  const update = renderClusters(settings({ providers: PROVIDERS }), options);
  await writeClusters(path, update);
  t.same(JSON.parse(readFileSync(path, 'utf8')), update);
  await t.rejects(writeClusters(join(directory, 'missing', 'cds.json'), update), { code: 'ENOENT' });
});
