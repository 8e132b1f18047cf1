import { join } from 'node:path';
import type { FixedKey, Snapshot } from '../../config/snapshot.js';
import type { KeyStore } from '../../store/keys/key-store.js';
import { type KeyStoreSettings, openKeyStore } from '../../store/keys/open-key-store.js';
import { keepPepper, readPepper } from '../../store/keys/pepper-file.js';
import { IssuedKeys } from './issued-keys.js';
import type { KeyDesk } from './key-desk.js';
import { type AuditedChange, LocalKeyDesk } from './local-key-desk.js';
import { createPepper, type Peppers } from './pepper.js';

export interface OpenIssuedKeysOptions {
  /** Says which store and which pepper; both are taken once. */
  readonly snapshot: Pick<Snapshot, 'admin' | 'dataDirectory' | 'records' | 'store'>;
  /** The keys of the config file as they are now. */
  readonly fixed: () => readonly FixedKey[];
  /** Who makes changes here: `admin` or `cli`. */
  readonly by: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Something an operator should know, without secrets. */
  readonly onProblem: (message: string) => void;
  readonly audit: (change: AuditedChange) => void;
}

export interface OpenIssuedKeys {
  readonly ring: IssuedKeys;
  readonly desk: KeyDesk;
  close(): Promise<void>;
}

/** A statement that reads a page of keys may take longer than a counter may. Milliseconds. */
const TIMEOUT_MS = 1000;

/**
 * Opens the store of issued keys, reads all of them and follows it. Resolves also when the store cannot be reached: the ring
 * then says `unavailable` until it can. Rejects when the pepper cannot be read or written.
 */
export async function openIssuedKeys(options: OpenIssuedKeysOptions): Promise<OpenIssuedKeys> {
  const { snapshot, fixed, by, now, audit, onProblem } = options;
  const peppers = peppersOf(snapshot);
  const store: KeyStore = await openKeyStore(keyStoreSettings(snapshot));
  const ring = new IssuedKeys({ peppers, onProblem, look: () => store.look() });
  await store.follow(ring);
  const desk = new LocalKeyDesk({ store, issued: ring, fixed, pepper: peppers[0], now, by, audit });
  return { ring, desk, close: () => store.close() };
}

/** Postgres where records are there, else Redis where counters are there, else a file beside the ledger. */
export function keyStoreSettings(snapshot: Pick<Snapshot, 'dataDirectory' | 'records' | 'store'>): KeyStoreSettings {
  const { records, store, dataDirectory } = snapshot;
  if (records.kind === 'postgres' && records.url) {
    return { kind: 'postgres', url: records.url.reveal(), timeoutMs: TIMEOUT_MS };
  }
  if (store.kind === 'memory') return { kind: 'file', directory: dataDirectory };
  const { cluster, prefix } = store;
  return { kind: 'redis', url: store.url.reveal(), cluster, prefix, timeoutMs: Math.max(TIMEOUT_MS, store.timeoutMs) };
}

/** A pepper that was generated before one was configured still counts for the keys made under it. */
function peppersOf({ admin, dataDirectory }: Pick<Snapshot, 'admin' | 'dataDirectory'>): Peppers {
  const path = join(dataDirectory, 'pepper');
  if (!admin.pepper) return [createPepper(keepPepper(path))];
  const generated = readPepper(path);
  const active = createPepper(admin.pepper.reveal());
  return generated === null ? [active] : [active, createPepper(generated)];
}
