import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FinalEntry, HoldEntry } from '../../src/accounting/ledger/entry.js';
import { openLedger } from '../../src/accounting/ledger/open-ledger.js';
import type { MicroCase } from './micro-case.js';

const SHARED = {
  time: '2026-11-22T12:00:00.000Z',
  key: 'bench',
  labels: { team: 'bench' },
  user: '',
  endpoint: '/v1/chat/completions',
  model: 'p/bench',
  route: null,
  stream: false,
  snapshot: '0123456789ab',
};
const HOLD: Omit<HoldEntry, 'id'> = {
  ...SHARED,
  type: 'hold',
  targets: ['p/bench'],
  input_tokens: 60,
  expires: 1_800_000_000_000,
  limits: { 'rate|requests|1m|key.id=bench': 1, 'rate|tokens|1m|key.id=bench': 4156, 'budget|cost|month': 8_252_000 },
};
const SETTLE: Omit<FinalEntry, 'id'> = {
  ...SHARED,
  type: 'settle',
  target: 'p/bench',
  answered_model: 'bench',
  status: 200,
  code: null,
  attempts: [{ target: 'p/bench', status: 200, outcome: 'success', reason: null, ms: 1.2, first_token_ms: null }],
  usage: { input: 40, output: 90 },
  usage_source: 'provider',
  cost_nano_usd: 220_000,
  cost_parts: { input: 40_000, output: 180_000 },
  price_version: 'config',
  limits: Object.keys(HOLD.limits ?? {}),
  first_token_ms: null,
  ms: 1.4,
  cache: null,
};
/** Requests of one turn of the event loop. */
const IN_A_TURN = 32;

/** A hold and its settlement, 32 requests in a turn. */
function holdAndSettle(): MicroCase {
  const directory = mkdtempSync(join(tmpdir(), 'tg-micro-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const onProblem = ({ message }: { readonly message: string }): never => {
    throw new Error(message);
  };
  const ledger = openLedger({ directory, syncMs: 100, onProblem, now: Date.now });
  let requests = 0;
  const one = (done: () => void): void => {
    requests += 1;
    const id = `0b4e2ad5-8c3e-4a8b-9f5c-${String(requests).padStart(12, '0')}`;
    ledger.hold({ ...HOLD, id }, (error) => {
      if (error) throw error;
      ledger.finish({ ...SETTLE, id });
      done();
    });
  };
  return {
    name: 'ledger: hold and settle',
    async run(times) {
      for (let left = times; left > 0; left -= IN_A_TURN) {
        const count = Math.min(left, IN_A_TURN);
        await new Promise<void>((resolve) => {
          let open = count;
          for (let at = 0; at < count; at += 1) {
            one(() => {
              open -= 1;
              if (open === 0) resolve();
            });
          }
        });
      }
    },
  };
}

export function cases(): readonly MicroCase[] {
  return [holdAndSettle()];
}
