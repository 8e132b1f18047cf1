import { loadConfigFile } from '../config/config-source.js';
import { IDLE_MOCK } from '../config/context.js';
import { defaultConfig } from '../config/default-config.js';
import type { LoadContext, Loaded, Refused } from '../config/load.js';
import { locateConfig } from '../config/locate.js';
import type { Snapshot } from '../config/snapshot.js';

/**
 * The configuration that commands look at, from `--config`, `$TOLLGATE_CONFIG`, `tollgate.yaml` or, without a file, the
 * built-in one. Starts nothing and makes no first-run key.
 */
export function readConfig(option: string | undefined, context: LoadContext): Loaded | Refused {
  const path = locateConfig({ option, env: context.env, directory: process.cwd() });
  if (path !== null) return loadConfigFile(path, context);
  const result = defaultConfig({ ...context, directory: process.cwd(), mockBaseUrl: IDLE_MOCK, firstKey: null });
  if ('problems' in result) return { problems: result.problems, files: [] };
  return { snapshot: result.snapshot, warnings: [], files: [] };
}

/** What the configuration is, for messages. */
export function describeConfig(snapshot: Snapshot): string {
  return snapshot.path ?? 'built-in configuration';
}
