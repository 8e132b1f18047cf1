import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where to look for the configuration. */
export interface ConfigChoice {
  /** `--config`. */
  readonly option: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

/**
 * The file to use: `--config`, else `$TOLLGATE_CONFIG`, else `tollgate.yaml` where there is one, else null for the
 * built-in configuration. A file that was asked for is returned even if it does not exist: that is an error to show.
 */
export function locateConfig(choice: ConfigChoice): string | null {
  const asked = choice.option ?? choice.env['TOLLGATE_CONFIG'];
  if (asked !== undefined && asked !== '') return resolve(choice.directory, asked);
  const usual = resolve(choice.directory, 'tollgate.yaml');
  return existsSync(usual) ? usual : null;
}
