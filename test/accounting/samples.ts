import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinalEntry, HoldEntry } from '../../src/accounting/ledger/entry.js';
import type { FileLedger, LedgerOptions, LedgerProblem } from '../../src/accounting/ledger/open-ledger.js';
import { openLedger } from '../../src/accounting/ledger/open-ledger.js';
import { currentOwner, type Owner } from '../../src/accounting/ledger/owner.js';
import type { Target } from '../../src/config/snapshot.js';

export function hold(id: string, changes: Partial<HoldEntry> = {}): HoldEntry {
  return {
    type: 'hold',
    id,
    time: new Date().toISOString(),
    key: 'web',
    labels: { team: 'search' },
    user: '',
    endpoint: '/v1/chat/completions',
    model: 'smart',
    route: null,
    targets: ['openai/gpt-5', 'mock/echo'],
    stream: false,
    input_tokens: 400,
    snapshot: '0123456789ab',
    expires: Date.now() + 600_000,
    ...changes,
  };
}

export function final(id: string, changes: Partial<FinalEntry> = {}): FinalEntry {
  return {
    type: 'settle',
    id,
    time: new Date().toISOString(),
    key: 'web',
    labels: { team: 'search' },
    user: '',
    endpoint: '/v1/chat/completions',
    model: 'smart',
    route: null,
    target: 'openai/gpt-5',
    answered_model: 'gpt-5',
    stream: false,
    status: 200,
    code: null,
    attempts: [],
    usage: { input: 100, output: 20 },
    usage_source: 'provider',
    cost_nano_usd: 325_000,
    cost_parts: { input: 125_000, output: 200_000 },
    price_version: 'test',
    first_token_ms: null,
    ms: 12,
    cache: null,
    snapshot: '0123456789ab',
    ...changes,
  };
}

export function target(name: string): Target {
  const slash = name.indexOf('/');
  return { name, provider: name.slice(0, slash), model: name.slice(slash + 1) };
}

/** An owner that is not running: what a crashed process leaves. */
export const DEAD: Owner = { ...currentOwner(), pid: 2 ** 22 + 1, started: '1' };

export function temporaryDirectory(t: { teardown(done: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-ledger-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface TestLedger {
  readonly ledger: FileLedger;
  readonly problems: LedgerProblem[];
}

export function testLedger(directory: string, options: Partial<LedgerOptions> = {}): TestLedger {
  const problems: LedgerProblem[] = [];
  const onProblem = (problem: LedgerProblem) => problems.push(problem);
  const ledger = openLedger({ directory, syncMs: 5, onProblem, now: Date.now, ...options });
  return { ledger, problems };
}

/** Resolves with the error, if any. */
export function held(ledger: FileLedger, entry: HoldEntry): Promise<Error | undefined> {
  return new Promise((resolve) => ledger.hold(entry, resolve));
}
