import type { Snapshot } from '../config/snapshot.js';
import type { KeyChange } from '../policy/keys/key-change.js';
import type { ChangedKey, KeyDesk, KeyPage, KeyView } from '../policy/keys/key-desk.js';
import { KeyError } from '../policy/keys/key-error.js';
import { adminAddress } from './admin-client.js';
import { UserError } from './user-error.js';

const TIMEOUT_MS = 30_000;

interface Question {
  readonly method: string;
  /** Below `/api/v1/keys`. */
  readonly path: string;
  readonly body?: object;
}

/** The keys of the running gateway with this configuration, through its admin API; null when none answers. */
export async function openRemoteDesk(snapshot: Snapshot): Promise<KeyDesk | null> {
  const address = adminAddress(snapshot);
  if (address === null) return null;
  const desk = new RemoteKeyDesk(address, snapshot.admin.token?.reveal() ?? null);
  return (await desk.isThere()) ? desk : null;
}

class RemoteKeyDesk implements KeyDesk {
  readonly #address: string;
  readonly #token: string | null;

  constructor(address: string, token: string | null) {
    this.#address = address;
    this.#token = token;
  }

  /** The file with the address outlives the gateway, and another program may have its port by now: ask before a change. */
  async isThere(): Promise<boolean> {
    const response = await this.#fetch({ method: 'GET', path: '?limit=1' }).catch(() => null);
    if (response?.status === 401) throw new UserError(`the gateway at ${this.#address} refuses this admin.token`);
    const body = (await response?.json().catch(() => null)) as { readonly data?: unknown } | null | undefined;
    return response?.status === 200 && Array.isArray(body?.data);
  }

  async list({ limit, cursor }: { readonly limit: number; readonly cursor: string | null }): Promise<KeyPage> {
    const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    return (await this.#ask({ method: 'GET', path: `?limit=${limit}${after}` })) as KeyPage;
  }

  async get(id: string): Promise<KeyView> {
    return (await this.#ask({ method: 'GET', path: `/${encodeURIComponent(id)}` })) as KeyView;
  }

  async change(change: KeyChange): Promise<ChangedKey> {
    const { secret = null, ...key } = (await this.#ask(questionOf(change))) as KeyView & { secret?: string };
    return { key, secret };
  }

  async #ask(question: Question): Promise<unknown> {
    const response = await this.#fetch(question);
    if (response.ok) return response.json();
    const body = (await response.json().catch(() => null)) as { error?: { message?: unknown; code?: unknown } } | null;
    const message = String(body?.error?.message ?? `the gateway at ${this.#address} answered ${response.status}`);
    throw new KeyError(response.status === 404 ? 'not_found' : 'conflict', message);
  }

  #fetch({ method, path, body }: Question): Promise<Response> {
    const token: Record<string, string> = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    return fetch(`http://${this.#address}/api/v1/keys${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...token },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }
}

function questionOf(change: KeyChange): Question {
  switch (change.action) {
    case 'create':
      return { method: 'POST', path: '', body: fieldsBody(change.fields) };
    case 'patch':
      return { method: 'PATCH', path: pathOf(change.id), body: fieldsBody(change.fields) };
    case 'rotate':
      return { method: 'POST', path: `${pathOf(change.id)}/rotate`, body: { grace: `${change.graceMs}ms` } };
    case 'revoke':
      return { method: 'POST', path: `${pathOf(change.id)}/revoke`, body: {} };
  }
}

function pathOf(id: string): string {
  return `/${encodeURIComponent(id)}`;
}

function fieldsBody<Fields extends { readonly expires?: number | null }>(fields: Fields): object {
  const { expires } = fields;
  return typeof expires === 'number' ? { ...fields, expires: new Date(expires).toISOString() } : fields;
}
