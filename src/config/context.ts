import { readFileSync } from 'node:fs';
import type { KnownKinds } from './known-kind.js';
import type { LoadContext } from './load.js';

/** The real surroundings: this process's environment, disk and clock. */
export function processContext(kinds: KnownKinds, env: LoadContext['env'] = process.env): LoadContext {
  return { kinds, env, readFile: (path) => readFileSync(path, 'utf8'), now: Date.now };
}

/**
 * The kinds with a base URL for the built-in mock, which has none until it listens: `kind: mock` then needs no
 * `base_url`. Commands that start nothing pass `IDLE_MOCK`.
 */
export function withMock(kinds: KnownKinds, baseUrl: string): KnownKinds {
  const mock = kinds.get('mock');
  return mock === undefined ? kinds : new Map([...kinds, ['mock', { ...mock, baseUrl }]]);
}

/** Stands for a mock that is not running: where `tollgate mock` listens by default. */
export const IDLE_MOCK = 'http://127.0.0.1:8091/v1';
