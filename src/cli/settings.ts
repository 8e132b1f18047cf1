import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfigFile } from '../config/config-source.js';
import { processContext } from '../config/context.js';
import { defaultConfig, type FoundProvider } from '../config/default-config.js';
import { formatProblem, type Problem } from '../config/problem.js';
import type { Snapshot } from '../config/snapshot.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { firstKey } from './first-key.js';
import { UserError } from './user-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a command works with. */
export interface Settings {
  /** The config file, absolute; null = the built-in default. */
  readonly path: string | null;
  readonly snapshot: Snapshot;
  readonly warnings: readonly Problem[];
  /** Only without a config file. */
  readonly firstRun: FirstRun | null;
}

export interface FirstRun {
  readonly key: string;
  readonly providers: readonly FoundProvider[];
}

/** `up` needs no running mock to plan addresses and clusters; the service starts its own and knows its port. */
const MOCK_PLACEHOLDER = 'http://127.0.0.1:9/v1';

/**
 * The config file of a command: `--config`, else `TOLLGATE_CONFIG`, else `tollgate.yaml` in the directory, else null.
 * Absolute; whether a named file exists is for the loader to say.
 */
export function configPath(flag: string | undefined, env: Environment, directory: string): string | null {
  const named = flag ?? (env['TOLLGATE_CONFIG'] || undefined);
  if (named !== undefined) return resolve(directory, named);
  const usual = join(directory, 'tollgate.yaml');
  return existsSync(usual) ? usual : null;
}

/**
 * Loads the config file, or the built-in default (whose key is made here on the first run).
 *
 * @throws UserError with every mistake in the file, one a line, in reading order
 */
export function readSettings(path: string | null, env: Environment, directory: string): Settings {
  return path === null ? builtIn(env, directory) : fromFile(path, env);
}

function fromFile(path: string, env: Environment): Settings {
  const loaded = loadConfigFile(path, processContext(PROVIDER_KINDS, env));
  if ('problems' in loaded) throw mistakes(loaded.problems);
  return { path, snapshot: loaded.snapshot, warnings: loaded.warnings, firstRun: null };
}

function builtIn(env: Environment, directory: string): Settings {
  const key = firstKey(join(directory, 'data'));
  const context = { ...processContext(PROVIDER_KINDS, env), directory, mockBaseUrl: MOCK_PLACEHOLDER, firstKey: key };
  const made = defaultConfig(context);
  if ('problems' in made) throw mistakes(made.problems);
  return { path: null, snapshot: made.snapshot, warnings: [], firstRun: { key, providers: made.providers } };
}

function mistakes(problems: readonly Problem[]): UserError {
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  return new UserError([`the configuration has ${count}:`, ...problems.map(formatProblem)].join('\n'));
}
