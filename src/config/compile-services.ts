import { Secret } from '../observability/secret.js';
import type { Alerts, Exporter, JwtIssuer, Retention, StoreSettings } from './money-rules.js';
import type { ValidAlerts, ValidExporter, ValidIssuer, ValidRetention, ValidStore } from './service-schema.js';

export function compileStore({ kind, url, cluster, prefix, timeout }: ValidStore): StoreSettings {
  if (kind === 'memory') return { kind };
  return { kind, url: new Secret(url ?? ''), cluster, prefix, timeoutMs: timeout };
}

/** `customer`: for exporters that name none. */
export function compileExporters(
  exporters: Readonly<Record<string, ValidExporter>>,
  customer: string,
): readonly Exporter[] {
  return Object.entries(exporters).map(([name, exporter]) => {
    const { kind, url, secret, batch } = exporter;
    return { name, kind, url, secret: secretOf(secret), batch, customer: exporter.customer ?? customer };
  });
}

export function compileAlerts(alerts: ValidAlerts): Alerts | null {
  if (alerts === undefined) return null;
  const { webhook, secret, estimated_ratio } = alerts;
  return { webhook, secret: secretOf(secret), estimatedRatio: orNull(estimated_ratio) };
}

export function compileRetention({ records, content, rollups, ledger }: ValidRetention): Retention {
  return {
    recordsMs: orNull(records),
    contentMs: orNull(content),
    rollupsMs: orNull(rollups),
    ledgerMs: orNull(ledger),
  };
}

export function compileIssuers(jwt: ValidIssuer | readonly ValidIssuer[]): readonly JwtIssuer[] {
  const issuers: readonly ValidIssuer[] = Array.isArray(jwt) ? jwt : [jwt];
  return issuers.map(({ issuer, jwks, audience, id, labels, fixed_labels, models, endpoints }) => ({
    issuer,
    jwksUrl: jwks ?? `${issuer.replace(/\/+$/, '')}/.well-known/jwks.json`,
    audience: audience === undefined ? null : [audience].flat(),
    id,
    labels: { ...labels },
    fixed: { ...fixed_labels },
    models: models ?? null,
    endpoints: endpoints ?? null,
  }));
}

function secretOf(text: string | undefined): Secret | null {
  return text === undefined || text === '' ? null : new Secret(text);
}

function orNull(value: number | 'off'): number | null {
  return value === 'off' ? null : value;
}
