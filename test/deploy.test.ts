import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { IDLE_MOCK, withMock } from '../src/config/context.js';
import { loadConfig } from '../src/config/load.js';
import { formatProblem } from '../src/config/problem.js';
import type { Snapshot } from '../src/config/snapshot.js';
import { envoyVersion, findEnvoy } from '../src/envoy/binary.js';
import { defaultBootstrapYaml } from '../src/envoy/default-bootstrap.js';
import { standardPaths } from '../src/envoy/options.js';
import { createMetrics } from '../src/observability/metrics.js';
import { PROVIDER_KINDS } from '../src/providers/registry.js';

// The files of a deployment are not run here. What can be wrong without anybody noticing is compared: versions, ports,
// commands, and the paths that Envoy and the service must both see.

const composeService = z.object({
  image: z.string(),
  user: z.string(),
  command: z.array(z.string()),
  network_mode: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const composeFile = z.object({
  services: z.record(z.string(), composeService),
  volumes: z.record(z.string(), z.unknown()),
});
const container = z.object({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  ports: z.array(z.object({ containerPort: z.number() })).default([]),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const statefulSet = z.object({
  spec: z.object({
    template: z.object({ spec: z.object({ initContainers: z.array(container), containers: z.array(container) }) }),
  }),
});

const bootstrap: unknown = parse(defaultBootstrapYaml());
const manifest = z
  .object({ name: z.string(), version: z.string() })
  .parse(JSON.parse(readFileSync('package.json', 'utf8')));
const ourImage = `${manifest.name}:${manifest.version}`;
const envoyImage = `envoyproxy/envoy:v${envoyVersion}`;

/** Every value under a key of that name, anywhere in a parsed document. */
function valuesOf(document: unknown, key: string): readonly unknown[] {
  if (typeof document !== 'object' || document === null) return [];
  return Object.entries(document).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(value, key),
  ]);
}

/** Absolute paths that the bootstrap names and that the service must see too. */
function sharedPaths(): { socket: string; cdsPath: string; accessLogPath: string } {
  const paths = (key: string) => valuesOf(valuesOf(bootstrap, key), 'path').filter((path) => typeof path === 'string');
  const [socket = ''] = paths('pipe');
  const [cdsPath = ''] = paths('cds_config');
  const [accessLogPath = ''] = paths('access_log').filter((path) => path.startsWith('/'));
  return { socket, cdsPath, accessLogPath };
}

function portsOf(key: string): readonly unknown[] {
  return valuesOf(valuesOf(bootstrap, key), 'port_value');
}

const EXAMPLES: Readonly<Record<string, string>> = { REDIS_URL: 'redis://store:6379', POSTGRES_URL: 'postgres://db/x' };

function snapshotOf(file: string): Snapshot {
  const text = readFileSync(file, 'utf8');
  const env = new Proxy({}, { get: (_, name) => EXAMPLES[String(name)] ?? 'example-0123456789abcdef' });
  const readFile = () => 'example';
  const kinds = withMock(PROVIDER_KINDS, IDLE_MOCK);
  const result = loadConfig({ path: '/etc/tollgate/tollgate.yaml', text }, { kinds, env, readFile, now: () => 0 });
  if ('problems' in result) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.snapshot;
}

const CONFIGURATIONS = [
  'deploy/compose/tollgate.yaml',
  'deploy/compose/tollgate-shared.yaml',
  'deploy/kubernetes/tollgate.yaml',
  'deploy/kubernetes/shared/tollgate.yaml',
];

t.test('the bootstrap says where things are', async (t) => {
  const { socket, cdsPath, accessLogPath } = sharedPaths();
  for (const path of [socket, cdsPath, accessLogPath]) t.match(path, /^\//);
  t.same(portsOf('listeners'), [8080]);
  t.same(portsOf('admin'), [9901]);
});

t.test('configurations fit the bootstrap', async (t) => {
  for (const file of CONFIGURATIONS) {
    const snapshot = snapshotOf(file);
    t.match(standardPaths(snapshot), sharedPaths(), `${file}: socket, clusters and access log`);
    t.equal(snapshot.gateway.listen.port, 8080);
    t.same(snapshot.admin.listen, { host: '0.0.0.0', port: 8090 }, 'reachable from outside the container');
    t.ok(snapshot.admin.token);
  }
});

t.test('docker-compose.yml', async (t) => {
  const compose = composeFile.parse(parse(readFileSync('docker-compose.yml', 'utf8')));
  const { envoy, tollgate, prepare } = compose.services;
  if (!envoy || !tollgate || !prepare) throw new Error('a service is missing');
  t.equal(envoy.image, envoyImage);
  t.equal(tollgate.image, ourImage);
  t.equal(prepare.image, ourImage);
  t.same(tollgate.command, ['serve']);
  t.equal(tollgate.network_mode, 'service:envoy');
  t.equal(envoy.user, tollgate.user, 'one user owns socket and files');
  t.same(envoy.ports, ['8080:8080', '127.0.0.1:8090:8090'], 'the admin API only on this machine');

  const file = envoy.command[envoy.command.indexOf('-c') + 1];
  t.ok(envoy.volumes.includes(`./envoy/envoy.yaml:${file}:ro`), 'Envoy reads the committed bootstrap');
  t.match(envoy.command, ['envoy', '-c'], 'the entry point of the image');
  t.ok(envoy.command.join(' ').includes('--file-flush-interval-msec 50'), 'the access log is the second meter');
  for (const path of Object.values(sharedPaths())) {
    const mounts = [envoy, tollgate, prepare].map((service) => mountOf(service.volumes, path));
    t.ok(mounts[0], `${path} is on a volume`);
    t.same(new Set(mounts).size, 1, 'the same for all');
    t.ok(Object.keys(compose.volumes).includes(mounts[0]?.split(':')[0] ?? ''), 'a declared one');
  }
  for (const service of [envoy, tollgate]) {
    for (const volume of service.volumes.filter((text) => text.startsWith('./')))
      t.ok(existsSync(volume.split(':')[0] ?? ''), volume);
  }
  t.match(prepare.command.join('\n'), new RegExp(`> ${sharedPaths().cdsPath}`), 'the cluster file exists before Envoy');
  t.match(prepare.command.join('\n'), new RegExp(`mkdir -p ${dirname(sharedPaths().accessLogPath)}`));
  t.match(envoy.healthcheck?.test.join(' '), new RegExp(`127\\.0\\.0\\.1/${String(portsOf('admin')[0])}`));
});

t.test('several gateways share a store that keeps everything', async (t) => {
  const compose = z
    .object({
      services: z.record(
        z.string(),
        z.object({ volumes: z.array(z.string()), command: z.array(z.string()).optional() }),
      ),
    })
    .parse(parse(readFileSync('deploy/compose/shared.yaml', 'utf8')));
  t.match(compose.services['valkey']?.command?.join(' '), /--maxmemory-policy noeviction/);
  t.same(compose.services['tollgate']?.volumes, [
    './deploy/compose/tollgate-shared.yaml:/etc/tollgate/tollgate.yaml:ro',
  ]);
  t.match(readFileSync('deploy/kubernetes/shared/redis.yaml', 'utf8'), /"--maxmemory-policy", "noeviction"/);
  for (const file of CONFIGURATIONS.filter((name) => name.includes('shared'))) {
    const snapshot = snapshotOf(file);
    t.match(snapshot, { store: { kind: 'redis' }, records: { kind: 'postgres' } }, file);
    t.ok(snapshot.admin.pepper, 'the same for all, or a key of one is unknown to the others');
    t.ok(snapshot.limits.length > 0);
  }
});

t.test('alert rules, dashboard and documentation name metrics that exist', async (t) => {
  const exposed = (await createMetrics().render()).matchAll(/^# TYPE (\S+)/gm);
  const ours = new Set([...exposed].map(([, name = '']) => name).filter((name) => /^(tollgate|gen_ai)_/.test(name)));
  const rules = readFileSync('deploy/prometheus/alerts.yml', 'utf8');
  const expressions = [
    ...valuesOf(parse(rules), 'expr'),
    ...valuesOf(JSON.parse(readFileSync('deploy/grafana/tollgate.json', 'utf8')), 'expr'),
  ];
  t.ok(expressions.length > 25);
  for (const expression of expressions.map(String)) {
    const names = expression.replaceAll(/\{[^}]*\}|by \([^)]*\)/g, '').match(/(tollgate|gen_ai)_\w+/g) ?? [];
    for (const name of names) t.ok(ours.has(name.replace(/_(bucket|sum|count)$/, '')), `${name} in ${expression}`);
  }
  const documented = readFileSync('docs/operations.md', 'utf8');
  for (const name of ours) t.match(documented, name, `${name} is explained`);
});

t.test('the health check of Envoy, against an Envoy', async (t) => {
  const compose = composeFile.parse(parse(readFileSync('docker-compose.yml', 'utf8')));
  const [, command = '', ...args] = compose.services['envoy']?.healthcheck?.test ?? [];
  const found = findEnvoy('auto', process.env);
  if ('problem' in found) throw new Error(found.problem);
  const portFile = join(t.testdir(), 'admin');
  const admin = 'admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }';
  const parameters = ['--config-yaml', admin, '--admin-address-path', portFile, '--use-dynamic-base-id'];
  const envoy = spawn(found.path, parameters, { stdio: 'ignore' });
  t.teardown(() => envoy.kill('SIGKILL'));
  while (!existsSync(portFile) || readFileSync(portFile, 'utf8') === '') await wait(10);
  const port = readFileSync(portFile, 'utf8').trim().split(':').at(-1);
  const check = (at: string) =>
    spawnSync(
      command,
      args.map((text) => text.replace('/9901', `/${at}`)),
    ).status;
  // The admin listener answers a moment before the server calls itself live.
  let status = check(String(port));
  for (let tries = 0; status !== 0 && tries < 100; tries += 1) {
    await wait(50);
    status = check(String(port));
  }
  t.equal(status, 0, 'healthy');
  envoy.kill('SIGKILL');
  await once(envoy, 'exit');
  t.not(check(String(port)), 0, 'not healthy when it is gone');
});

t.test('Kubernetes', async (t) => {
  const set = statefulSet.parse(parse(readFileSync('deploy/kubernetes/statefulset.yaml', 'utf8'), { merge: true }));
  const { initContainers, containers } = set.spec.template.spec;
  const [envoy, tollgate] = containers;
  t.equal(envoy?.image, envoyImage);
  t.equal(tollgate?.image, ourImage);
  t.equal(initContainers[0]?.image, ourImage);
  t.same(envoy?.ports, [{ containerPort: 8080 }]);
  t.same(tollgate?.ports, [{ containerPort: 8090 }]);
  t.equal(tollgate?.args[0], 'serve');
  const file = envoy?.command[envoy.command.indexOf('-c') + 1] ?? '';
  t.match(initContainers[0]?.args.join('\n'), new RegExp(`main\\.js envoy > ${file}`));
  for (const { name, volumeMounts } of [...initContainers, ...containers]) {
    for (const path of Object.values(sharedPaths())) {
      t.ok(
        volumeMounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`)),
        `${name}: ${path}`,
      );
    }
  }
});

t.test('Dockerfile', async (t) => {
  const lines = readFileSync('Dockerfile', 'utf8').replaceAll('\\\n', ' ').split('\n');
  const values = (instruction: string) =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length).trim());
  const { node } = z.object({ node: z.string() }).parse(process.versions);
  t.same(
    values('FROM'),
    [`node:${node.split('.')[0]}-slim AS build`, `node:${node.split('.')[0]}-slim`],
    'the Node of the tests',
  );
  t.same(values('USER'), ['node'], 'not root');
  t.same(values('EXPOSE'), ['8090']);
  t.same(JSON.parse(values('ENTRYPOINT')[0] ?? ''), ['node', 'dist/src/main.js']);
  t.same(JSON.parse(values('CMD')[0] ?? ''), ['serve']);
  t.match(values('ENV')[0], /TOLLGATE_CONFIG=\/etc\/tollgate\/tollgate\.yaml/);
  const allowed = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'));
  for (const copy of values('COPY').filter((text) => !text.startsWith('--from'))) {
    for (const source of copy.split(/\s+/).slice(0, -1)) {
      t.ok(existsSync(source), `${source} exists`);
      t.ok(allowed.includes(`!${source}`), `${source} is sent to the builder`);
    }
  }
});

t.test('systemd and Prometheus', async (t) => {
  const unit = readFileSync('deploy/systemd/tollgate.service', 'utf8');
  t.match(unit, /^ExecStart=\S+node \S+\/dist\/src\/main\.js up --config \/etc\/tollgate\/tollgate\.yaml$/m);
  t.match(unit, /^KillMode=mixed$/m, 'Envoy is drained by the supervisor');
  const scrapes = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'));
  t.same(valuesOf(scrapes, 'targets').flat(), ['127.0.0.1:8090', `127.0.0.1:${String(portsOf('admin')[0])}`]);
});

/** The volume whose mount holds `path`, as written: `run:/run/tollgate`. */
function mountOf(volumes: readonly string[], path: string): string | undefined {
  return volumes.find((volume) => path.startsWith(`${volume.split(':')[1]}/`));
}
