import type { ProviderAccount } from '../../config/snapshot.js';
import { GatewayError } from '../../dialects/error.js';
import { Secret } from '../../observability/secret.js';
import type { ProviderKind } from '../kind.js';
import type { Authorised } from './credential-pool.js';
import { keyHeader } from './header.js';

/** The app's own key at a provider: `openai=sk-…`. May be repeated, or hold several, separated by commas. */
export const OWN_KEY_HEADER = 'x-tollgate-provider-key';

/** Keys that came with one request, by provider. Never logged, never kept, and sent to that provider only. */
export type OwnKeys = ReadonlyMap<string, Secret>;

export const NO_OWN_KEYS: OwnKeys = new Map();

const MOST_KEYS = 16;
/** The secret has no comma and no space: it could not be told from the next entry. */
const ENTRY = /^([a-z0-9][a-z0-9._-]*)=([\x21-\x2b\x2d-\x7e]+)$/;

/**
 * Reads all values of the header. Throws `unsupported_parameter` for what cannot be read, and `ambiguous_credentials` for
 * two different keys of one provider; neither repeats what was sent.
 */
export function readOwnKeys(values: readonly string[]): OwnKeys {
  if (values.length === 0) return NO_OWN_KEYS;
  const keys = new Map<string, Secret>();
  for (const entry of values.join(',').split(',')) {
    const text = entry.trim();
    if (text !== '') addEntry(keys, text);
  }
  if (keys.size > MOST_KEYS) throw malformed(`has more than ${MOST_KEYS} keys`);
  return keys;
}

function addEntry(keys: Map<string, Secret>, text: string): void {
  const [, provider, secret] = ENTRY.exec(text) ?? [];
  if (provider === undefined || secret === undefined) throw malformed('is not of the form provider=key');
  const known = keys.get(provider);
  if (known !== undefined && known.reveal() !== secret) {
    throw new GatewayError(
      'ambiguous_credentials',
      `Two different keys for provider "${provider}" were sent; send one.`,
    );
  }
  keys.set(provider, new Secret(secret));
}

function malformed(what: string): GatewayError {
  return new GatewayError('unsupported_parameter', `The header ${OWN_KEY_HEADER} ${what}.`, { param: OWN_KEY_HEADER });
}

/**
 * Throws `model_not_allowed` when a key was sent for a provider that takes none. The same words for a provider that does
 * not exist: nothing is to be learned from the difference.
 */
export function checkOwnKeys(keys: OwnKeys, accounts: ReadonlyMap<string, ProviderAccount>): void {
  for (const provider of keys.keys()) {
    if (policyOf(accounts.get(provider)) !== 'off') continue;
    throw new GatewayError('model_not_allowed', `This gateway takes no key of yours for provider "${provider}".`, {
      param: OWN_KEY_HEADER,
    });
  }
}

/** True when the provider cannot be asked in this request, because only the app's own key would do. */
export function lacksOwnKey(account: ProviderAccount, keys: OwnKeys): boolean {
  return policyOf(account) === 'required' && !keys.has(account.name);
}

/** What the client gets when no target is left that could be asked without a key of its own. */
export function ownKeyNeeded(provider: string): GatewayError {
  const message = `Provider "${provider}" is used with your own key only: send it as "${OWN_KEY_HEADER}: ${provider}=<key>".`;
  return new GatewayError('unsupported_parameter', message, { param: OWN_KEY_HEADER });
}

/**
 * The call with the app's own key; null when none was sent for this provider, so that the pool decides. The index is -1:
 * a refusal of this key says nothing about the configured ones.
 */
export function authoriseOwn(account: ProviderAccount, kind: ProviderKind, keys: OwnKeys): Authorised | null {
  const secret = keys.get(account.name);
  if (secret === undefined || policyOf(account) === 'off') return null;
  const header = keyHeader(kind, secret.reveal());
  return header === null ? null : { headers: [header], secrets: [secret.reveal()], index: -1 };
}

function policyOf(account: ProviderAccount | undefined) {
  return account?.bringYourOwn ?? 'off';
}
