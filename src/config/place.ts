import type { PlaceSetting } from './credential-source.js';
import { GoogleJsonError, isGoogleJson, readGoogleJson } from './google-json.js';
import type { Environment, KnownKind } from './known-kind.js';
import { textOf } from './raw-view.js';

/** Variables that the vendors' own tools read, first set one wins. */
export const PLACE_VARIABLES: Readonly<Record<PlaceSetting, readonly string[]>> = {
  region: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  project: ['GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT'],
  location: ['GOOGLE_CLOUD_LOCATION', 'CLOUD_ML_REGION'],
};

/** Regions, locations and projects stand in host names and paths. */
export const PLACE = /^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/;

export interface Place {
  readonly value: string;
  /** The variable that said so; null = the configuration itself, or its credential. */
  readonly variable: string | null;
}

/** What a provider's account says, else the environment, else (the project) Google's JSON. Works on raw values. */
export function placeOf(provider: unknown, setting: PlaceSetting, env: Environment): Place | null {
  const own = textOf(provider, setting);
  if (own !== null) return { value: own, variable: null };
  for (const variable of PLACE_VARIABLES[setting]) {
    const value = env[variable]?.trim();
    if (value !== undefined && value !== '') return { value, variable };
  }
  const project = setting === 'project' ? projectIn(textOf(provider, 'credentials')) : null;
  return project === null ? null : { value: project, variable: null };
}

/** The base URL that a kind has at the account's place; null when it has none or the place is not known. */
export function usualBaseUrl(kind: KnownKind, provider: unknown, env: Environment): string | null {
  const [setting] = /\{(region|location)\}/.exec(kind.baseUrl ?? '')?.slice(1) ?? [];
  if (setting !== 'region' && setting !== 'location') return kind.baseUrl;
  const place = placeOf(provider, setting, env)?.value;
  if (place === undefined) return null;
  const own = kind.baseUrlAt;
  return own !== undefined && Object.hasOwn(own, place)
    ? (own[place] ?? null)
    : (kind.baseUrl?.replaceAll(`{${setting}}`, place) ?? null);
}

function projectIn(credentials: string | null): string | null {
  if (credentials === null || !isGoogleJson(credentials)) return null;
  try {
    return readGoogleJson(credentials).projectId;
  } catch (error) {
    if (error instanceof GoogleJsonError) return null;
    throw error;
  }
}
