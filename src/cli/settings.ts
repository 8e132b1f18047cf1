import { join } from 'node:path';
import { loadConfigFile } from '../config/config-source.js';
import { IDLE_MOCK, processContext, withMock } from '../config/context.js';
import { defaultConfig, type FoundProvider } from '../config/default-config.js';
import { locateConfig } from '../config/locate.js';
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

/** Where the settings come from. */
export interface SettingsSource {
  /** The value of `--config`. */
  readonly config: string | undefined;
  readonly env: Environment;
  /** Where `tollgate.yaml` is looked for, and where the built-in default keeps `data/` and `run/`. */
  readonly directory: string;
}

/**
 * Loads the config file, or the built-in default (whose key is made here on the first run). Nothing is started: a built-in
 * mock is the service's, which alone knows its port.
 *
 * @throws UserError with every mistake in the file, one a line, in reading order
 */
export function readSettings(source: SettingsSource): Settings {
  const path = locateConfig({ option: source.config, env: source.env, directory: source.directory });
  return path === null ? builtIn(source) : fromFile(path, source.env);
}

function fromFile(path: string, env: Environment): Settings {
  const loaded = loadConfigFile(path, processContext(withMock(PROVIDER_KINDS, IDLE_MOCK), env));
  if ('problems' in loaded) throw mistakes(loaded.problems);
  return { path, snapshot: loaded.snapshot, warnings: loaded.warnings, firstRun: null };
}

function builtIn({ env, directory }: SettingsSource): Settings {
  const key = firstKey(join(directory, 'data'));
  const kinds = withMock(PROVIDER_KINDS, IDLE_MOCK);
  const context = { ...processContext(kinds, env), directory, mockBaseUrl: IDLE_MOCK, firstKey: key };
  const made = defaultConfig(context);
  if ('problems' in made) throw mistakes(made.problems);
  return { path: null, snapshot: made.snapshot, warnings: [], firstRun: { key, providers: made.providers } };
}

function mistakes(problems: readonly Problem[]): UserError {
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`;
  return new UserError([`the configuration has ${count}:`, ...problems.map(formatProblem)].join('\n'));
}
