import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from '../config/snapshot.js';
import { LISTENER_NAME, STAT_PREFIX } from './names.js';

const ANSWER_TIMEOUT_MS = 2_000;
const POLL_MS = 25;

/** One call of Envoy's admin interface; resolves to the body. Rejects when nobody listens, after 2 s, or on a status other than 200. */
export function askEnvoy(admin: Address, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ host: admin.host, port: admin.port, path, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`Envoy's admin answered ${response.statusCode} to ${path}`));
      });
    });
    call.setTimeout(ANSWER_TIMEOUT_MS, () => call.destroy(new Error(`Envoy's admin did not answer ${path} in time`)));
    call.on('error', reject);
    call.end();
  });
}

/** Reads what `--admin-address-path` wrote, `127.0.0.1:43211`; needed when the configured port is 0. Waits for the file. */
export async function adminAddress(path: string, timeoutMs: number): Promise<Address> {
  return poll(timeoutMs, `Envoy's admin did not start within ${timeoutMs} ms`, async () => {
    const text = (await readFile(path, 'utf8')).trim();
    const colon = text.lastIndexOf(':');
    const port = Number(text.slice(colon + 1));
    return colon > 0 && port > 0 ? { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port } : null;
  });
}

/** Waits until Envoy takes requests; resolves to the gateway's real address. Rejects after `timeoutMs`. */
export async function waitForListener(admin: Address, timeoutMs: number): Promise<Address> {
  return poll(timeoutMs, `Envoy did not open its listener within ${timeoutMs} ms`, async () => {
    await askEnvoy(admin, '/ready');
    const { listener_statuses: listeners } = JSON.parse(await askEnvoy(admin, '/listeners?format=json')) as Listeners;
    const found = listeners?.find((listener) => listener.name === LISTENER_NAME)?.local_address?.socket_address;
    return found ? { host: found.address, port: found.port_value } : null;
  });
}

interface Listeners {
  readonly listener_statuses?: readonly {
    readonly name: string;
    readonly local_address?: { readonly socket_address?: { readonly address: string; readonly port_value: number } };
  }[];
}

/** What Envoy's clusters should look like. */
export interface WantedClusters {
  /** `version_info` of the update; null = whatever is there. */
  readonly version: string | null;
  readonly names: readonly string[];
}

/** True when Envoy has taken this update and every named cluster serves. Rejects when the admin cannot be asked. */
export async function clustersReady(admin: Address, wanted: WantedClusters): Promise<boolean> {
  const filter = encodeURIComponent('^cluster_manager\\.(cds\\.version_text|warming_clusters)$');
  const stats = new Map(statLines(await askEnvoy(admin, `/stats?filter=${filter}`)));
  if (wanted.version !== null && stats.get('cluster_manager.cds.version_text') !== wanted.version) return false;
  if (stats.get('cluster_manager.warming_clusters') !== '0') return false;
  const listed = JSON.parse(await askEnvoy(admin, '/clusters?format=json')) as Clusters;
  const active = new Set((listed.cluster_statuses ?? []).map((cluster) => cluster.name));
  return wanted.names.every((name) => active.has(name));
}

interface Clusters {
  readonly cluster_statuses?: readonly { readonly name: string }[];
}

/** Asks until `clustersReady`; false when that has not come about within `timeoutMs`, or there is no admin to ask. */
export async function waitForClusters(admin: Address, wanted: WantedClusters, timeoutMs: number): Promise<boolean> {
  try {
    return await poll(timeoutMs, 'not ready', async () => ((await clustersReady(admin, wanted)) ? true : null));
  } catch {
    return false;
  }
}

/**
 * When this Envoy started, epoch milliseconds. Envoy tells its age in whole seconds, so this is the earliest moment
 * that is possible: something older than it surely belonged to another Envoy. Rejects when the admin cannot be asked.
 */
export async function envoyStartTime(admin: Address): Promise<number> {
  const asked = Date.now();
  const info = JSON.parse(await askEnvoy(admin, '/server_info')) as { readonly uptime_current_epoch?: string };
  const seconds = Number.parseInt(info.uptime_current_epoch ?? '', 10);
  if (!Number.isFinite(seconds)) throw new Error("Envoy's admin did not tell its uptime");
  return asked - (seconds + 1) * 1000;
}

/** Requests that are under way, the whole length of a stream included. */
export async function activeRequests(admin: Address): Promise<number> {
  const name = `http.${STAT_PREFIX}.downstream_rq_active`;
  const filter = encodeURIComponent(`^${name.replaceAll('.', '\\.')}$`);
  const stats = new Map(statLines(await askEnvoy(admin, `/stats?filter=${filter}`)));
  return Number(stats.get(name) ?? 0);
}

/** Makes Envoy open its log files anew, after they were renamed. */
export async function reopenLogs(admin: Address): Promise<void> {
  await askEnvoy(admin, '/reopen_logs', 'POST');
}

/** `name: value` lines; text values come in quotes. */
function statLines(text: string): [string, string][] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(': ');
    return colon < 0
      ? []
      : [
          [
            line.slice(0, colon),
            line
              .slice(colon + 2)
              .trim()
              .replace(/^"|"$/g, ''),
          ],
        ];
  });
}

/** Tries until there is a value; errors count as "not yet". */
async function poll<T>(timeoutMs: number, complaint: string, attempt: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== null) return value;
    } catch {
      // Not listening yet, or half a file: the deadline decides.
    }
    if (Date.now() >= deadline) throw new Error(complaint);
    await pause(POLL_MS);
  }
}
