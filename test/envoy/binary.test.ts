import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { cachedEnvoy, envoyVersion, findEnvoy } from '../../src/envoy/binary.js';

interface SetupScript {
  ensureEnvoy(env: Record<string, string>, platform?: string): Promise<string>;
  cachedFile(env: Record<string, string>, platform: string): string;
}

// By path from the project's root, because the scripts are not compiled.
const scriptFile = join(process.cwd(), 'scripts/envoy.mjs');
const script: SetupScript = await import(pathToFileURL(scriptFile).href);
const platform = `${process.platform}-${process.arch}`;

/** Writes a program that answers `--version` like an Envoy of that version, or fails if version is null. */
function fakeEnvoy(path: string, version: string | null): string {
  mkdirSync(dirname(path), { recursive: true });
  const says = `echo "${path}  version: 0123abc/${version}/Clean/RELEASE/BoringSSL"`;
  writeFileSync(path, `#!/bin/sh\n${version === null ? 'exit 1' : says}\n`);
  chmodSync(path, 0o755);
  return path;
}

interface Place {
  readonly configured?: string | null;
  readonly ENVOY_BIN?: string | null;
  readonly PATH?: string | null;
  readonly cache?: string | null;
}

const cases: { name: string; versions: Place; source?: string; problem?: RegExp }[] = [
  { name: 'config wins', versions: { configured: '1.40.3', ENVOY_BIN: '1.40.0', PATH: '1.40.0' }, source: 'config' },
  {
    name: 'a wrong config is a problem',
    versions: { configured: '1.39.0', PATH: '1.40.0' },
    problem: /is Envoy 1\.39\.0/,
  },
  {
    name: 'ENVOY_BIN before PATH',
    versions: { ENVOY_BIN: '1.40.1', PATH: '1.40.0', cache: '1.40.0' },
    source: 'ENVOY_BIN',
  },
  {
    name: 'a wrong ENVOY_BIN is a problem',
    versions: { ENVOY_BIN: '1.41.0', PATH: '1.40.0' },
    problem: /ENVOY_BIN .*1\.41\.0/,
  },
  { name: 'a broken ENVOY_BIN is a problem', versions: { ENVOY_BIN: null, cache: '1.40.0' }, problem: /does not run/ },
  { name: 'PATH before the cache', versions: { PATH: '1.40.0', cache: '1.40.0' }, source: 'PATH' },
  { name: 'a wrong PATH is passed over', versions: { PATH: '1.38.0', cache: '1.40.0' }, source: 'cache' },
  { name: 'a broken PATH is passed over', versions: { PATH: null, cache: '1.40.0' }, source: 'cache' },
  { name: '1.4.0 is not 1.40', versions: { PATH: '1.4.0', cache: '1.40.0' }, source: 'cache' },
];

function arrange(directory: string, versions: Place): { env: Record<string, string>; files: Record<string, string> } {
  const env: Record<string, string> = { PATH: `${join(directory, 'PATH')}:/usr/bin:/bin`, XDG_CACHE_HOME: directory };
  const files: Record<string, string> = {};
  for (const [place, version] of Object.entries(versions)) {
    const path = place === 'cache' ? cachedEnvoy(env) : join(directory, place, 'envoy');
    files[place] = fakeEnvoy(path, version ?? null);
    if (place === 'ENVOY_BIN') env['ENVOY_BIN'] = path;
  }
  if (files['configured'] !== undefined) files['config'] = files['configured'];
  return { env, files };
}

for (const { name, versions, source, problem } of cases) {
  t.test(name, async (t) => {
    const { env, files } = arrange(t.testdir(), versions);
    const found = findEnvoy(files['configured'] ?? 'auto', env);
    if (problem !== undefined) t.match('problem' in found ? found.problem : '', problem);
    else t.match(found, { source, path: files[source ?? ''] });
    if (files['configured'] !== undefined) return;
    // Set-up must end at the same file, or the gateway would not find what was installed.
    const ensured = script.ensureEnvoy(env);
    if (problem !== undefined) await t.rejects(ensured);
    else t.equal(await ensured, files[source ?? '']);
  });
}

t.test('nothing anywhere says how to get one', async (t) => {
  const env = { PATH: t.testdir(), XDG_CACHE_HOME: t.testdirName };
  const found = findEnvoy('auto', env);
  t.match('problem' in found ? found.problem : '', /npm run setup[\s\S]*ENVOY_BIN[\s\S]*envoyproxy\/envoy:v1\.40\.0/);
  await t.rejects(script.ensureEnvoy(env, 'plan9-mips'), { message: /none is published for plan9-mips/ });
});

t.test('the script and the gateway agree on the cache', async (t) => {
  for (const env of [{ HOME: '/somewhere' }, { HOME: '/somewhere', XDG_CACHE_HOME: '/elsewhere' }]) {
    t.equal(cachedEnvoy(env), script.cachedFile(env, platform));
  }
});

t.test('the Envoy of this machine', async (t) => {
  const found = findEnvoy('auto', process.env);
  t.match(found, { version: /^1\.40\./ }, 'npm test has made sure of it');
  t.match(envoyVersion, /^1\.40\.\d+$/);
});
