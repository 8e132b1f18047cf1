import { effectiveConfig } from '../config/effective.js';
import { credentialText } from '../config/effective-providers.js';
import type { FixedKey, Model, ProviderAccount, Snapshot } from '../config/snapshot.js';
import type { ProviderHealth } from './ports.js';

const NOT_LOOKED: ProviderHealth = { health: 'unknown', ejected_until: null, error_rate: null };

/** One row of `GET /api/v1/providers`. */
export function providerView(account: ProviderAccount, health: ProviderHealth | null): object {
  return {
    name: account.name,
    kind: account.kind,
    base_url: account.baseUrl,
    credentials: account.credentials.map(credentialText),
    ...(health ?? NOT_LOOKED),
  };
}

/** One row of `GET /api/v1/models`. */
export function modelView(model: Model): object {
  return { name: model.name, targets: model.targets.map((target) => target.name), allow_unpriced: model.allowUnpriced };
}

/** A key of the configuration: neither the secret nor its digest, which would let a guess be checked elsewhere. */
function keyView(key: FixedKey): object {
  return {
    id: key.id,
    source: 'config',
    labels: key.labels,
    models: key.models,
    endpoints: key.endpoints,
    expires: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
  };
}

/** The effective configuration as `print-config` shows it, for `GET /api/v1/config`; not even the beginning of a digest. */
export function configView(snapshot: Snapshot): object {
  return {
    version: snapshot.version,
    path: snapshot.path,
    ...effectiveConfig(snapshot),
    keys: snapshot.keys.map(keyView),
  };
}
