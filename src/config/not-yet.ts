import type { Path } from './problem.js';

/**
 * Settings of the design that this version does not implement. They are errors, never ignored: somebody who writes a
 * limit must not believe that it holds. `*` stands for one part of a path.
 */
const SETTINGS: readonly string[] = ['guardrails', 'cache', 'prompts'];

/** What the reference says is still missing, as lines of Markdown. */
export function notYetSupported(): readonly string[] {
  return SETTINGS.map((setting) => `\`${setting.replaceAll('*', '<name>')}\``);
}

export function isSettingNotYet(path: Path): boolean {
  return SETTINGS.some((setting) => matches(setting, path));
}

/** Names of all settings below a path that will be known one day: they are candidates for "did you mean". */
export function namesNotYet(path: Path): readonly string[] {
  const below = SETTINGS.map((setting) => setting.split('.')).filter((parts) => parts.length === path.length + 1);
  return below.filter((parts) => matches(parts.slice(0, -1).join('.'), path)).map((parts) => parts.at(-1) ?? '');
}

function matches(setting: string, path: Path): boolean {
  const parts = setting === '' ? [] : setting.split('.');
  return parts.length === path.length && parts.every((part, index) => part === '*' || part === path[index]);
}
