import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a peer is installed, and what of this folder says which versions. */
export interface Place {
  /** Name and version, for messages. */
  readonly title: string;
  /** In the user's cache, outside the checkout. */
  readonly directory: string;
  /** Files with the exact versions of everything that is installed. */
  readonly pins: readonly string[];
}

/** A peer is not there, and its message says what to do. */
export class NotInstalled extends Error {}

/** The compiled code lies in another folder than the files with the versions. */
const pinned = (name: string): string => fileURLToPath(new URL(`../../../bench/peers/${name}`, import.meta.url));

function cache(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tollgate', 'peers', name);
}

export const PORTKEY: Place = {
  title: 'Portkey 1.15.2',
  directory: cache('portkey-1.15.2'),
  pins: [pinned('portkey/package.json'), pinned('portkey/package-lock.json')],
};

export const LITELLM: Place = {
  title: 'LiteLLM 1.106.2',
  directory: cache('litellm-1.106.2'),
  pins: [pinned('litellm/requirements.txt')],
};

/** Written when an installation is complete; holds the pins that it was made from. */
export function markOf(place: Place): string {
  return join(place.directory, 'installed');
}

export function wantedPins(place: Place): string {
  return place.pins.map((file) => readFileSync(file, 'utf8')).join('');
}

/** Whether exactly the wanted versions are there. */
export function isInstalled(place: Place): boolean {
  const mark = markOf(place);
  return existsSync(mark) && readFileSync(mark, 'utf8') === wantedPins(place);
}
