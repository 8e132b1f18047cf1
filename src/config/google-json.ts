/**
 * The JSON files that Google's tools give to programs, as far as we use them.
 * https://cloud.google.com/docs/authentication/application-default-credentials and https://google.aip.dev/auth/4117
 */
export type GoogleJson = ServiceAccountJson | AuthorizedUserJson | ExternalAccountJson | ImpersonatedJson;

export interface ServiceAccountJson {
  readonly type: 'service_account';
  readonly clientEmail: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  readonly privateKeyId: string | null;
  readonly tokenUri: string;
  readonly projectId: string | null;
}

export interface AuthorizedUserJson {
  readonly type: 'authorized_user';
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly tokenUri: string;
  readonly projectId: string | null;
}

/** Workload identity federation: the token of somebody else is traded at Google. */
export interface ExternalAccountJson {
  readonly type: 'external_account';
  readonly audience: string;
  readonly subjectTokenType: string;
  readonly tokenUrl: string;
  readonly subject: SubjectToken;
  readonly impersonation: Impersonation | null;
  readonly projectId: string | null;
}

/** The rights of one account, used through another. */
export interface ImpersonatedJson {
  readonly type: 'impersonated_service_account';
  readonly impersonation: Impersonation;
  readonly source: GoogleJson;
  readonly projectId: string | null;
}

export interface Impersonation {
  readonly url: string;
  readonly lifetimeSeconds: number;
  readonly delegates: readonly string[];
}

/** Where the token to trade is: a file that somebody renews, or a server nearby. */
export interface SubjectToken {
  readonly place:
    | { readonly file: string }
    | { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  /** The member that holds the token; null = the whole text is the token. */
  readonly field: string | null;
}

type Members = Readonly<Record<string, unknown>>;

/** What is wrong with a text, so that it can be said at load; never holds a part of the text. */
export class GoogleJsonError extends Error {}

const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const HOUR = 3600;

/** True for a credential that is meant to be such a file: no key begins with a brace. */
export function isGoogleJson(text: string): boolean {
  return /^\s*\{/.test(text);
}

/** Throws `GoogleJsonError`. */
export function readGoogleJson(text: string): GoogleJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GoogleJsonError('begins with "{", but is no JSON');
  }
  return readMembers(value, 0);
}

function readMembers(value: unknown, depth: number): GoogleJson {
  const members = objectOf(value);
  const type = members['type'];
  const read = typeof type === 'string' && Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (read !== undefined && depth < 2) return read(members, depth);
  throw new GoogleJsonError(`is Google JSON without a "type" that is known (${Object.keys(READERS).join(', ')})`);
}

const READERS: Readonly<Record<string, (members: Members, depth: number) => GoogleJson>> = {
  service_account: (members) => ({
    type: 'service_account',
    clientEmail: needed(members, 'client_email'),
    privateKey: needed(members, 'private_key'),
    privateKeyId: optional(members, 'private_key_id'),
    tokenUri: optional(members, 'token_uri') ?? TOKEN_URI,
    projectId: projectOf(members),
  }),
  authorized_user: (members) => ({
    type: 'authorized_user',
    clientId: needed(members, 'client_id'),
    clientSecret: needed(members, 'client_secret'),
    refreshToken: needed(members, 'refresh_token'),
    tokenUri: optional(members, 'token_uri') ?? TOKEN_URI,
    projectId: projectOf(members),
  }),
  external_account: (members) => ({
    type: 'external_account',
    audience: needed(members, 'audience'),
    subjectTokenType: needed(members, 'subject_token_type'),
    tokenUrl: needed(members, 'token_url'),
    subject: subjectOf(objectOf(members['credential_source'])),
    impersonation: 'service_account_impersonation_url' in members ? impersonationOf(members) : null,
    projectId: projectOf(members),
  }),
  impersonated_service_account: (members, depth) => ({
    type: 'impersonated_service_account',
    impersonation: impersonationOf(members),
    source: readMembers(members['source_credentials'], depth + 1),
    projectId: projectOf(members),
  }),
};

function subjectOf(source: Members): SubjectToken {
  const format = objectOf(source['format'] ?? {});
  const field = format['type'] === 'json' ? needed(format, 'subject_token_field_name') : null;
  const file = optional(source, 'file');
  if (file !== null) return { place: { file }, field };
  const url = optional(source, 'url');
  if (url === null || optional(source, 'environment_id') !== null) {
    throw new GoogleJsonError('is Google JSON whose "credential_source" is neither a file nor a url');
  }
  const headers = Object.entries(objectOf(source['headers'] ?? {})).map(([name, value]) => [name, String(value)]);
  return { place: { url, headers: Object.fromEntries(headers) }, field };
}

function impersonationOf(members: Members): Impersonation {
  const { token_lifetime_seconds: lifetime } = objectOf(members['service_account_impersonation'] ?? {});
  const delegates = members['delegates'];
  return {
    url: needed(members, 'service_account_impersonation_url'),
    lifetimeSeconds: typeof lifetime === 'number' && lifetime > 0 ? lifetime : HOUR,
    delegates: Array.isArray(delegates) ? delegates.map(String) : [],
  };
}

function projectOf(members: Members): string | null {
  return optional(members, 'project_id') ?? optional(members, 'quota_project_id');
}

function needed(members: Members, name: string): string {
  const value = optional(members, name);
  if (value === null) throw new GoogleJsonError(`is Google JSON without "${name}"`);
  return value;
}

function optional(members: Members, name: string): string | null {
  const value = members[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function objectOf(value: unknown): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new GoogleJsonError('is Google JSON of an unknown shape');
}
