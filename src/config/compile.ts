import { dirname, isAbsolute, resolve } from 'node:path';
import { Secret } from '../observability/secret.js';
import { sha256 } from './check-keys.js';
import { compileLimit, compileRoute } from './compile-limits.js';
import { compileModel, modelDefaults } from './compile-model.js';
import { compileBilling, compileDiscount, compilePrice } from './compile-money.js';
import { compileProviders } from './compile-providers.js';
import { compileAlerts, compileExporters, compileIssuers, compileRetention, compileStore } from './compile-services.js';
import { freeze } from './freeze.js';
import type { KnownKinds } from './known-kind.js';
import type { ValidConfig } from './schema.js';
import type { FixedKey, Snapshot } from './snapshot.js';
import { withVersion } from './version.js';

type Unversioned = Omit<Snapshot, 'version'>;

/** Where a configuration comes from. */
export interface Origin {
  /** Of the file, absolute, or null. */
  readonly path: string | null;
  /** What relative paths are relative to. */
  readonly directory: string;
  /** Says what the configuration leaves to its surroundings: a region, a project. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Turns a valid configuration without cross mistakes into the immutable snapshot that requests use. */
export function compile(config: ValidConfig, origin: Origin, kinds: KnownKinds): Snapshot {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(origin.directory, path));
  const ledgerDirectory = absolute(config.ledger.directory);
  const snapshot: Unversioned = {
    path: origin.path,
    gateway: {
      listen: config.gateway.listen,
      bodyLimit: config.gateway.body_limit,
      modelsOnly: config.gateway.models_only,
      workers: config.gateway.workers,
      tls: tlsFiles(config, absolute),
    },
    admin: {
      listen: config.admin.listen,
      token: secretOf(config.admin.token),
      pepper: secretOf(config.admin.pepper),
    },
    envoy: { ...config.envoy, binary: envoyBinary(config.envoy.binary, absolute) },
    runtimeDirectory: absolute(config.runtime_directory),
    dataDirectory: dirname(ledgerDirectory),
    ledger: { directory: ledgerDirectory, syncMs: config.ledger.sync },
    records: recordsOf(config, absolute),
    timeZone: config.time_zone,
    store: compileStore(config.store),
    routes: config.routes.map(compileRoute),
    limits: config.limits.map(compileLimit),
    jwt: compileIssuers(config.auth.jwt),
    discounts: config.discounts.map(compileDiscount),
    billing: config.billing === undefined ? null : compileBilling(config.billing),
    exporters: compileExporters(config.exporters, config.billing?.customer ?? 'key'),
    alerts: compileAlerts(config.alerts),
    retention: compileRetention(config.retention),
    providers: compileProviders(config.providers, kinds, origin.env),
    models: new Map(Object.entries(config.models).map(([name, model]) => [name, compileModel(name, model)])),
    keys: config.keys.map(keyOf),
    prices: config.prices.map(compilePrice),
    defaults: modelDefaults(),
  };
  return freeze(withVersion(snapshot));
}

function tlsFiles(config: ValidConfig, absolute: (path: string) => string): Snapshot['gateway']['tls'] {
  const { tls } = config.gateway;
  return tls === undefined ? null : { certificate: absolute(tls.certificate), key: absolute(tls.key) };
}

/** `auto` and plain command names stay; what looks like a path is one. */
function envoyBinary(binary: string, absolute: (path: string) => string): string {
  return binary.includes('/') ? absolute(binary) : binary;
}

function recordsOf(config: ValidConfig, absolute: (path: string) => string): Snapshot['records'] {
  const { kind, path, url, content } = config.records;
  return { kind, content, path: kind === 'sqlite' ? absolute(path ?? 'data/records.db') : null, url: secretOf(url) };
}

function secretOf(text: string | undefined): Secret | null {
  return text === undefined || text === '' ? null : new Secret(text);
}

function keyOf(key: ValidConfig['keys'][number]): FixedKey {
  return {
    id: key.id,
    sha256: key.secret === undefined ? (key.hash ?? '').slice('sha256:'.length).toLowerCase() : sha256(key.secret),
    labels: { ...key.labels },
    models: key.models ?? null,
    endpoints: key.endpoints ?? null,
    expiresAt: key.expires ?? null,
    metadata: { ...key.metadata },
  };
}
