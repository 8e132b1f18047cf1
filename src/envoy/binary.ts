import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import pinned from '../../scripts/envoy.json' with { type: 'json' };

type Environment = Readonly<Record<string, string | undefined>>;

/** An Envoy that runs and has a version that we work with. */
export interface FoundEnvoy {
  readonly path: string;
  /** Like `1.40.0`. */
  readonly version: string;
  readonly source: 'config' | 'ENVOY_BIN' | 'PATH' | 'cache';
}

export interface NoEnvoy {
  /** For people: what was looked at, and how to get an Envoy. Several lines. */
  readonly problem: string;
}

/** The Envoy that the project is tested with, such as `1.40.0`; any `1.40.x` is accepted. */
export const envoyVersion: string = pinned.version;

/**
 * Finds the Envoy to run. It never downloads: `npm start` and `npm run setup` fill the cache (scripts/envoy.mjs looks
 * in the same places, in the same order).
 *
 * A path in the config or in `$ENVOY_BIN` is a decision: if that file does not run or has another version, the answer
 * is a problem and nothing else is tried. An unsuitable `envoy` on PATH is passed over.
 *
 * @param configured `envoy.binary` of the config: `auto`, or a path.
 * @param env read for `ENVOY_BIN`, `PATH`, `XDG_CACHE_HOME` and `HOME`.
 */
export function findEnvoy(configured: string, env: Environment): FoundEnvoy | NoEnvoy {
  if (configured !== 'auto') return decided(configured, 'config');
  if (env['ENVOY_BIN']) return decided(env['ENVOY_BIN'], 'ENVOY_BIN');
  const rejected: string[] = [];
  for (const { path, source } of candidates(env)) {
    if (!isExecutable(path)) continue;
    const version = readVersion(path);
    if (version?.startsWith(pinned.series)) return { path, version, source };
    rejected.push(`${path}: ${describeVersion(version)}`);
  }
  return { problem: [`No Envoy ${pinned.series}x was found.`, ...rejected, ...remedies()].join('\n') };
}

/** Where set-up keeps the downloaded Envoy. Absolute; the file need not exist. */
export function cachedEnvoy(env: Environment): string {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return join(cache, 'tollgate', `envoy-${pinned.version}-${process.platform}-${process.arch}`, 'envoy');
}

function decided(path: string, source: 'config' | 'ENVOY_BIN'): FoundEnvoy | NoEnvoy {
  const version = readVersion(path);
  if (version?.startsWith(pinned.series)) return { path, version, source };
  const setting = source === 'config' ? 'envoy.binary' : 'ENVOY_BIN';
  return { problem: `${setting} ${path}: ${describeVersion(version)}; Envoy ${pinned.series}x is needed.` };
}

function candidates(env: Environment): { path: string; source: 'PATH' | 'cache' }[] {
  // Relative entries of PATH would make the result depend on the working directory.
  const directories = (env['PATH'] ?? '').split(delimiter).filter((directory) => isAbsolute(directory));
  const onPath = directories.map((directory) => ({ path: join(directory, 'envoy'), source: 'PATH' as const }));
  return [...onPath, { path: cachedEnvoy(env), source: 'cache' }];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// `envoy --version` prints `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`; a development build says
// `1.40.0-dev`. Null if the file does not run or does not say so.
function readVersion(path: string): string | null {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? (/\/(\d+\.\d+\.\d+)[^/]*\//.exec(stdout)?.[1] ?? null) : null;
}

function describeVersion(version: string | null): string {
  return version === null ? 'does not run as Envoy' : `is Envoy ${version}`;
}

function remedies(): string[] {
  return [
    'Run `npm run setup` to download it (Linux x64 and arm64), or',
    `  - install Envoy ${pinned.series}x so that \`envoy\` is on PATH, or`,
    '  - set ENVOY_BIN or `envoy.binary` to the path of one, or',
    `  - use the image envoyproxy/envoy:v${pinned.version} (docker-compose.yml).`,
  ];
}
