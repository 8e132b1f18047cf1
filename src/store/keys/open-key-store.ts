import { join } from 'node:path';
import { FileKeyLog } from './file-key-log.js';
import { FollowedKeys } from './followed-keys.js';
import type { KeyStore } from './key-store.js';
import type { RedisKeyOptions } from './redis-key-log.js';

export type KeyStoreSettings =
  | { readonly kind: 'file'; readonly directory: string }
  | ({ readonly kind: 'redis' } & RedisKeyOptions)
  | { readonly kind: 'postgres'; readonly url: string; readonly timeoutMs: number };

/** Opens the store; nothing is read or connected before it is followed. Clients of databases are loaded only where they are used. */
export async function openKeyStore(settings: KeyStoreSettings): Promise<KeyStore> {
  switch (settings.kind) {
    case 'file':
      return new FollowedKeys(new FileKeyLog(join(settings.directory, 'keys.log')), { name: 'keys.log' });
    case 'redis': {
      const { RedisKeyLog } = await import('./redis-key-log.js');
      return new FollowedKeys(new RedisKeyLog(settings), { name: 'Redis' });
    }
    case 'postgres': {
      const { PostgresKeyLog } = await import('./postgres-key-log.js');
      return new FollowedKeys(new PostgresKeyLog(settings), { name: 'Postgres' });
    }
  }
}
