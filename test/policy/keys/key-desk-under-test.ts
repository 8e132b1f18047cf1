import type { Test } from 'tap';
import type { FixedKey } from '../../../src/config/snapshot.js';
import { Secret } from '../../../src/observability/secret.js';
import type { AuditedChange } from '../../../src/policy/keys/local-key-desk.js';
import { type OpenIssuedKeys, openIssuedKeys } from '../../../src/policy/keys/open-issued-keys.js';
import { NO_RULES } from '../../sample-rules.js';

export interface DeskUnderTest extends OpenIssuedKeys {
  readonly audited: AuditedChange[];
  readonly problems: string[];
  /** Moves the clock. */
  at(time: number): void;
}

export interface DeskOptions {
  readonly pepper?: string;
  readonly fixed?: readonly FixedKey[];
}

/** Issued keys of one process, in a file of this directory. */
export async function openDesk(t: Test, directory: string, options: DeskOptions = {}): Promise<DeskUnderTest> {
  const audited: AuditedChange[] = [];
  const problems: string[] = [];
  let now = Date.UTC(2026, 10, 22);
  const open = await openIssuedKeys({
    snapshot: {
      dataDirectory: directory,
      records: { kind: 'sqlite', content: false },
      store: NO_RULES.store,
      admin: {
        listen: { host: '127.0.0.1', port: 0 },
        token: null,
        pepper: options.pepper === undefined ? null : new Secret(options.pepper),
      },
    },
    fixed: () => options.fixed ?? [],
    by: 'admin',
    now: () => now,
    onProblem: (message) => problems.push(message),
    audit: (change) => audited.push(change),
  });
  t.teardown(() => open.close());
  const at = (time: number): void => {
    now = time;
  };
  return { ...open, audited, problems, at };
}

export function fixedKey(id: string, more: Partial<FixedKey> = {}): FixedKey {
  return {
    id,
    sha256: 'd1'.repeat(32),
    labels: {},
    models: null,
    endpoints: null,
    expiresAt: null,
    metadata: {},
    ...more,
  };
}
