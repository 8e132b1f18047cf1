import type { Address } from '../config/snapshot.js';

/** What a service says to its supervisor over the IPC channel. */
export type ServiceMessage =
  | {
      readonly type: 'ready';
      readonly admin: Address;
      /** Absolute path of `extproc-<generation>.sock`. */
      readonly socket: string;
    }
  | { readonly type: 'stopping' };

export function isServiceMessage(value: unknown): value is ServiceMessage {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'stopping') return true;
  return value.type === 'ready' && 'admin' in value && 'socket' in value && typeof value.socket === 'string';
}
