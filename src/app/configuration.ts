import { type ConfigListeners, ConfigSource, loadConfigFile } from '../config/config-source.js';
import { IDLE_MOCK, processContext, withMock } from '../config/context.js';
import { defaultConfig } from '../config/default-config.js';
import { formatProblem, type Problem } from '../config/problem.js';
import type { Snapshot } from '../config/snapshot.js';
import { PROVIDER_KINDS } from '../providers/registry.js';

export interface ConfigurationOptions {
  readonly path: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only for the built-in default. */
  readonly firstKey: string | null;
}

/** The configuration as the service sees it: a file that is watched, or the built-in default, which never changes. */
export interface Configuration {
  readonly snapshot: Snapshot;
  /** Begins to watch. */
  follow(listeners: ConfigListeners): Followed;
}

export interface Followed {
  reload(): Promise<readonly Problem[]>;
  close(): Promise<void>;
}

/** Loads the configuration. Throws with every mistake, one a line. */
export function openConfiguration(options: ConfigurationOptions): Configuration {
  const context = processContext(withMock(PROVIDER_KINDS, IDLE_MOCK), options.env);
  if (options.path === null) {
    const made = defaultConfig({
      ...context,
      directory: process.cwd(),
      mockBaseUrl: IDLE_MOCK,
      firstKey: options.firstKey,
    });
    if ('problems' in made) throw mistakes(made.problems);
    const nothing = { reload: async () => [], close: async () => {} };
    return { snapshot: made.snapshot, follow: () => nothing };
  }
  const { path } = options;
  const loaded = loadConfigFile(path, context);
  if ('problems' in loaded) throw mistakes(loaded.problems);
  return { snapshot: loaded.snapshot, follow: (listeners) => new ConfigSource(path, loaded, context, listeners) };
}

function mistakes(problems: readonly Problem[]): Error {
  return new Error(problems.map(formatProblem).join('\n'));
}

/** True for an account of the built-in mock that has no address of its own in the config. */
export function wantsMock(snapshot: Snapshot): boolean {
  return [...snapshot.providers.values()].some((account) => account.baseUrl === IDLE_MOCK);
}

/** The snapshot with the running mock's address. Its version stays: the port is no part of the configuration. */
export function placeMock(snapshot: Snapshot, baseUrl: string): Snapshot {
  const providers = new Map(
    [...snapshot.providers].map(([name, account]) => [
      name,
      account.baseUrl === IDLE_MOCK ? { ...account, baseUrl } : account,
    ]),
  );
  return { ...snapshot, providers };
}
