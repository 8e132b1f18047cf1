import { homedir } from 'node:os';
import { join } from 'node:path';
import { type AcquireContext, AcquireError, variable } from '../acquire.js';

/** Settings of one profile, names in lower case. */
export type Profile = ReadonlyMap<string, string>;

/**
 * Reads `~/.aws/config` and `~/.aws/credentials`, or where `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` point. What
 * both say counts from the credentials. A missing file is an empty one.
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export async function readProfiles(context: AcquireContext): Promise<ReadonlyMap<string, Profile>> {
  const home = variable(context, 'HOME') ?? variable(context, 'USERPROFILE') ?? homedir();
  const config = variable(context, 'AWS_CONFIG_FILE') ?? join(home, '.aws', 'config');
  const credentials = variable(context, 'AWS_SHARED_CREDENTIALS_FILE') ?? join(home, '.aws', 'credentials');
  const profiles = new Map<string, Map<string, string>>();
  for (const [section, settings] of parseIni(await textOrNothing(context, config))) {
    const name = section === 'default' ? section : /^profile\s+(.+)$/.exec(section)?.[1];
    if (name !== undefined) merge(profiles, name.trim(), settings);
  }
  for (const [name, settings] of parseIni(await textOrNothing(context, credentials))) merge(profiles, name, settings);
  return profiles;
}

/** The profile that is meant when none is named. */
export function usualProfile(context: AcquireContext): string {
  return variable(context, 'AWS_PROFILE') ?? 'default';
}

function merge(profiles: Map<string, Map<string, string>>, name: string, settings: Profile): void {
  const known = profiles.get(name) ?? new Map<string, string>();
  for (const [setting, value] of settings) known.set(setting, value);
  profiles.set(name, known);
}

async function textOrNothing(context: AcquireContext, path: string): Promise<string> {
  try {
    return await context.readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT') return '';
    throw new AcquireError(`cannot read ${path} (${code})`);
  }
}

/** Sections by name. Indented lines belong to a setting that is a group of its own (`s3 =`), and to nothing here. */
function parseIni(text: string): ReadonlyMap<string, Profile> {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const section = /^\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (section !== undefined) {
      current = sections.get(section) ?? new Map();
      sections.set(section, current);
      continue;
    }
    const equals = line.indexOf('=');
    if (current === null || equals < 0 || /^\s/.test(line)) continue;
    const value = line.slice(equals + 1).replace(/\s[#;].*$/, '');
    current.set(line.slice(0, equals).trim().toLowerCase(), value.trim());
  }
  return sections;
}
