import { formatAddress } from './address.js';
import { accountText } from './effective-providers.js';
import {
  effectiveMoney,
  effectiveRules,
  issuerText,
  optional,
  retentionText,
  storeText,
  timeText,
} from './effective-rules.js';
import { formatDuration, formatShare, formatSize } from './quantity.js';
import { retryReasons } from './retry-on.js';
import type { FixedKey, Model, ModelTarget, Retry, Snapshot } from './snapshot.js';

/**
 * The configuration in use, in the words and the order of the config file, defaults filled in, paths absolute, secrets
 * masked. For `print-config` and the admin API.
 */
export function effectiveConfig(snapshot: Snapshot): Readonly<Record<string, unknown>> {
  const { gateway, admin, envoy, ledger, records } = snapshot;
  return {
    gateway: {
      listen: formatAddress(gateway.listen),
      body_limit: formatSize(gateway.bodyLimit),
      ...(gateway.tls === null ? {} : { tls: { ...gateway.tls } }),
      models_only: gateway.modelsOnly,
      workers: gateway.workers ?? 1,
    },
    admin: {
      listen: formatAddress(admin.listen),
      ...optional('token', admin.token?.mask),
      ...optional('pepper', admin.pepper?.mask),
    },
    providers: byName(snapshot.providers, accountText),
    models: byName(snapshot.models, modelText),
    keys: snapshot.keys.map(keyText),
    ...effectiveRules(snapshot),
    ...effectiveMoney(snapshot),
    auth: { jwt: snapshot.jwt.map(issuerText) },
    store: storeText(snapshot.store),
    ledger: { directory: ledger.directory, sync: formatDuration(ledger.syncMs) },
    records: {
      kind: records.kind,
      ...optional('path', records.path),
      ...optional('url', records.url?.mask),
      content: records.content,
    },
    retention: retentionText(snapshot.retention),
    envoy: { admin: formatAddress(envoy.admin), binary: envoy.binary, concurrency: envoy.concurrency },
    runtime_directory: snapshot.runtimeDirectory,
    time_zone: snapshot.timeZone,
  };
}

function byName<T>(map: ReadonlyMap<string, T>, text: (item: T) => unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...map].map(([name, item]) => [name, text(item)]));
}

function modelText(model: Model): unknown {
  return {
    targets: model.targets.map((target) => targetText(target, model.retry)),
    balance: model.balance,
    retry: retryText(model.retry),
    retry_budget: model.retryBudget === null ? 'off' : formatShare(model.retryBudget),
    output_cap: model.outputCap,
    allow_unpriced: model.allowUnpriced,
    strict: model.strict ?? false,
  };
}

/** A target that says nothing of its own is only a name. */
function targetText(target: ModelTarget, models: Retry): unknown {
  const usual = retryText(models);
  const own = Object.entries(retryText(target.retry)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[name]),
  );
  if (target.weight === 1 && target.contextWindow === null && own.length === 0) return target.name;
  return {
    model: target.name,
    weight: target.weight,
    ...optional('context_window', target.contextWindow),
    ...(own.length === 0 ? {} : { retry: Object.fromEntries(own) }),
  };
}

function retryText(retry: Retry): Readonly<Record<string, unknown>> {
  return {
    ...optional('attempts', retry.attempts),
    on: retryReasons(retry.on),
    response: formatDuration(retry.responseMs),
    first_token: durationOrOff(retry.firstTokenMs),
    stall: formatDuration(retry.stallMs),
    total: formatDuration(retry.totalMs),
  };
}

function durationOrOff(milliseconds: number | null): string {
  return milliseconds === null ? 'off' : formatDuration(milliseconds);
}

function keyText(key: FixedKey): unknown {
  return {
    id: key.id,
    // A short or common secret could be guessed from its whole digest.
    hash: `sha256:${key.sha256.slice(0, 8)}…`,
    labels: { ...key.labels },
    ...(Object.keys(key.metadata).length === 0 ? {} : { metadata: { ...key.metadata } }),
    ...optional('models', key.models),
    ...optional('endpoints', key.endpoints),
    ...optional('expires', timeText(key.expiresAt)),
  };
}
