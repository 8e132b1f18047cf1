import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { FinalEntry, HoldEntry, LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import type { FileLedger } from '../../../src/accounting/ledger/open-ledger.js';
import { claimDirectory, currentOwner } from '../../../src/accounting/ledger/owner.js';
import { LedgerDamageError, readLedger } from '../../../src/accounting/ledger/read-ledger.js';
import { createPriceBook } from '../../../src/accounting/prices.js';
import {
  createRecovery,
  type Recovery,
  type RecoveryOptions,
} from '../../../src/accounting/recovery/create-recovery.js';
import { TokenWidths } from '../../../src/accounting/recovery/token-widths.js';
import { DEAD, final, held, hold, temporaryDirectory, testLedger } from '../samples.js';

const PRICES = createPriceBook({ overrides: [], priceIds: new Map([['openai', 'openai']]) });
/** 100 bytes for each token of a stream of the first target, 5 for each token that asks for it beside 80 of the form. */
const WIDTHS = new TokenWidths();
for (let tokens = 1; tokens <= 10; tokens += 1) {
  WIDTHS.observe(
    { target: 'openai/gpt-5', endpoint: '/v1/chat/completions', stream: true },
    { request: [80 + 50 * tokens, 10 * tokens], answer: [100 * tokens, tokens] },
  );
}
let boots = 0;

/** A dead process's boot with these bytes. */
function deadBoot(directory: string, bytes: string | Buffer): void {
  boots += 1;
  const name = `2026110${Math.min(9, 1 + Math.floor(boots / 1000))}T080000000Z-${boots}`;
  mkdirSync(directory, { recursive: true });
  claimDirectory(directory, name, DEAD);
  writeFileSync(join(directory, name, '00000001.ledger'), bytes);
}

function logLine(id: string, changes: Record<string, unknown> = {}): string {
  const line = {
    time: new Date().toISOString(),
    id,
    method: 'POST',
    path: '/v1/chat/completions',
    status: 200,
    flags: '-',
    details: 'via_upstream',
    bytes_received: 400,
    bytes_sent: 1_100,
    ms: 900,
    first_byte_ms: 300,
    attempts: 1,
    cluster: 'provider-openai',
    failure: null,
    stream: false,
    ...changes,
  };
  return `${JSON.stringify(line)}\n`;
}

interface Setting {
  readonly recovery: Recovery;
  readonly ledger: FileLedger;
  readonly recovered: FinalEntry[];
  readonly log: string;
}

function setting(directory: string, options: Partial<RecoveryOptions> = {}): Setting {
  const { ledger } = testLedger(join(directory, 'ledger'));
  const recovered: FinalEntry[] = [];
  const log = join(directory, 'envoy', 'access.jsonl');
  mkdirSync(dirname(log), { recursive: true });
  const recovery = createRecovery({
    directory: join(directory, 'ledger'),
    accessLogPath: log,
    ledger,
    prices: PRICES,
    providerOf: (cluster) => (cluster.startsWith('provider-') ? cluster.slice(9) : null),
    envoyStart: async () => 0,
    now: Date.now,
    onRecovered: (entry) => recovered.push(entry),
    onProblem: (_message, error) => {
      throw error;
    },
    pollMs: 20,
    ...options,
  });
  return { recovery, ledger, recovered, log };
}

async function stop({ recovery, ledger }: Setting): Promise<void> {
  await recovery.stop();
  await ledger.close();
}

async function entriesOf(directory: string): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  await readLedger(join(directory, 'ledger'), (entry) => entries.push(entry), { repair: true });
  return entries;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('what the line says becomes the final entry', async (t) => {
  const cases: readonly { name: string; line: Record<string, unknown>; hold?: Partial<HoldEntry>; want: object }[] = [
    {
      name: 'answered',
      line: {},
      want: { type: 'estimate', status: 200, target: 'openai/gpt-5', usage: { input: 100, output: 100 }, ms: 900 },
    },
    {
      name: 'a stream is wider',
      line: { bytes_sent: 1_300 },
      hold: { stream: true, targets: ['openai/gpt-5-mini'] },
      want: { type: 'estimate', usage: { input: 100, output: 10 }, usage_source: 'estimated', first_token_ms: 300 },
    },
    { name: 'the bound of the hold', line: { bytes_received: 9_999 }, want: { usage: { input: 400 } } },
    {
      name: 'attempt 2 is the second target, which has no price',
      line: { attempts: 2, cluster: 'provider-mock' },
      want: { type: 'estimate', target: 'mock/echo', cost_nano_usd: null },
    },
    {
      name: 'the cluster has the last word',
      line: { attempts: 1, cluster: 'provider-mock' },
      want: { target: 'mock/echo' },
    },
    {
      name: 'the provider answered an error',
      line: { status: 429 },
      want: { type: 'void', code: 'provider_rate_limited', cost_nano_usd: 0, usage: {}, target: 'openai/gpt-5' },
    },
    {
      name: 'no provider was reached',
      line: { status: 503, flags: 'UF,URX', details: 'upstream_reset_before_response_started{x}', failure: 'refused' },
      want: { type: 'void', code: 'upstream_unavailable' },
    },
    {
      name: 'the service died before it had said what the next target gets',
      line: {
        status: 503,
        attempts: 2,
        details: 'ext_proc_error_gRPC_error_14{upstream_connect_error_before_headers}',
      },
      want: { type: 'void', code: 'gateway_unavailable', cost_nano_usd: 0, usage: {} },
    },
    {
      name: 'the service died while the next target was answering',
      line: {
        status: 503,
        attempts: 2,
        details: 'ext_proc_error_gRPC_error_13{upstream_reset_after_response_started{connection_termination}}',
        bytes_sent: 160,
      },
      want: { type: 'estimate', status: 503, code: 'gateway_unavailable', usage: { input: 100, output: 0 } },
    },
    {
      name: 'refused at the gate',
      line: { status: 503, attempts: 0, details: 'rbac_access_denied_matched_policy[none]', cluster: null },
      want: { type: 'void', code: 'gateway_unavailable', attempts: [] },
    },
    {
      name: 'the client left before the answer: the provider worked',
      line: { status: 0, flags: 'DC', details: 'downstream_remote_disconnect', bytes_sent: 0 },
      want: { type: 'estimate', status: 499, code: 'client_closed', usage: { input: 100, output: 0 } },
    },
    {
      name: 'the provider did not answer in time',
      line: { status: 504, flags: 'UT', details: 'response_timeout', bytes_sent: 120 },
      want: { type: 'void', code: 'upstream_timeout', cost_nano_usd: 0, usage: {}, target: null },
    },
    {
      name: 'the last target reset the connection before its answer',
      line: { status: 503, flags: 'UC,URX', details: 'upstream_reset_before_response_started{x}', attempts: 2 },
      want: { type: 'void', code: 'upstream_unavailable', cost_nano_usd: 0 },
    },
    {
      name: 'the client left in the middle of an error',
      line: { status: 500, flags: 'DC' },
      want: { type: 'void', status: 500, cost_nano_usd: 0 },
    },
    {
      name: 'the client left in the middle of the answer',
      line: { status: 200, flags: 'DC', bytes_sent: 110 },
      want: { type: 'estimate', status: 200, code: 'client_closed', usage: { input: 100, output: 10 } },
    },
    {
      name: 'counted before it left, and learned from whole answers',
      line: { bytes_sent: 1_000 },
      hold: { stream: true, input_estimate: 9, limits: { 'l|cost|total|@0': 7 } },
      want: { usage: { input: 9, output: 10 }, limits: ['l|cost|total|@0'], recovered: true },
    },
    {
      name: 'nobody counted the request: learned from others',
      line: { bytes_received: 330, bytes_sent: 1_000 },
      hold: { stream: true },
      want: { usage: { input: 51, output: 10 } },
    },
    {
      name: 'an unasked usage chunk is none of the answer',
      line: { bytes_sent: 1_250 },
      hold: { stream: true, hides_usage: true },
      want: { usage: { output: 11 } },
    },
    {
      name: 'embeddings bill no output',
      line: { bytes_sent: 50_000 },
      hold: { endpoint: '/v1/embeddings' },
      want: { type: 'estimate', usage: { input: 100, output: 0 } },
    },
  ];
  for (const { name, line, hold: changes, want } of cases) {
    await t.test(name, async (t) => {
      const directory = temporaryDirectory(t);
      deadBoot(join(directory, 'ledger'), encodeLine(hold('r1', changes)));
      const run = setting(directory, { widths: WIDTHS });
      writeFileSync(run.log, logLine('other') + logLine('r1', line));
      await run.recovery.start();
      t.match(run.recovered, [want]);
      t.equal(run.recovery.open.length, 0);
      await stop(run);
      t.match((await entriesOf(directory)).at(-1), want);
    });
  }
});

t.test('follows the log while a hold is open: pieces of a line, rotation, a file that comes later', async (t) => {
  const directory = temporaryDirectory(t);
  const ids = ['r1', 'r2', 'r3', 'r4', 'r5'];
  deadBoot(join(directory, 'ledger'), ids.map((id) => encodeLine(hold(id))).join(''));
  const run = setting(directory);
  writeFileSync(`${run.log}.1`, logLine('r1'));
  await run.recovery.start();
  t.equal(run.recovered.length, 1, 'the rotated file was read');
  const line = logLine('r2');
  writeFileSync(run.log, line.slice(0, 50));
  await run.recovery.check();
  t.equal(run.recovered.length, 1);
  appendFileSync(run.log, line.slice(50));
  await until(() => run.recovered.length === 2);
  renameSync(run.log, `${run.log}.2`);
  appendFileSync(`${run.log}.2`, logLine('r3'));
  await until(() => run.recovered.length === 3);
  writeFileSync(run.log, logLine('r4'));
  await until(() => run.recovered.length === 4);
  appendFileSync(`${run.log}.2`, logLine('r5'));
  await until(() => run.recovered.length === 5);
  t.same(
    run.recovered.map(({ id }) => id),
    ids,
  );
  await stop(run);
});

t.test('case 65: without a line: Envoy is newer than the hold, or the hold expires, never before', async (t) => {
  const directory = temporaryDirectory(t);
  deadBoot(join(directory, 'ledger'), encodeLine(hold('r1', { expires: 5_000, time: new Date(1_000).toISOString() })));
  let now = 4_000;
  let envoyStart: number | null = null;
  const run = setting(directory, { now: () => now, envoyStart: async () => envoyStart, pollMs: 60_000 });
  await run.recovery.start();
  t.match(run.recovery.open, [{ id: 'r1' }]);
  envoyStart = 1_000;
  await run.recovery.check();
  t.equal(run.recovered.length, 0, 'this Envoy may still write it');
  now = 5_000;
  await run.recovery.check();
  t.match(run.recovered, [
    { type: 'estimate', usage: { input: 100, output: 50 }, usage_source: 'estimated', status: 503 },
  ]);
  t.ok((run.recovered[0]?.cost_nano_usd ?? 0) > 0);
  await stop(run);
  const second = temporaryDirectory(t);
  deadBoot(join(second, 'ledger'), encodeLine(hold('r1')) + encodeLine(hold('r2')));
  const later = setting(second, { envoyStart: async () => Date.now() + 1 });
  writeFileSync(later.log, logLine('r2', { bytes_sent: 11 }));
  await later.recovery.start();
  t.match(later.recovered, [
    { id: 'r2', usage: { output: 1 } },
    { id: 'r1', usage: { output: 50 } },
  ]);
  await stop(later);
});

t.test('leaves the living alone; takes over once they are dead', async (t) => {
  const directory = temporaryDirectory(t);
  const other = testLedger(join(directory, 'ledger')).ledger;
  await held(other, hold('theirs'));
  const run = setting(directory);
  writeFileSync(run.log, logLine('theirs'));
  await run.recovery.start();
  t.equal(run.recovery.open.length, 0);
  await other.close();
  await until(() => run.recovered.length === 1);
  await stop(run);
});

t.test('two at once: each hold is recovered by one of them, also after one has died', async (t) => {
  const directory = temporaryDirectory(t);
  const ids = Array.from({ length: 50 }, (_, number) => `r${number}`);
  for (const id of ids) deadBoot(join(directory, 'ledger'), encodeLine(hold(id)));
  const runs = [setting(directory), setting(directory)];
  writeFileSync(runs[0]?.log ?? '', ids.map((id) => logLine(id)).join(''));
  await Promise.all(runs.map((run) => run.recovery.start()));
  t.equal(
    runs.reduce((sum, run) => sum + run.recovered.length, 0),
    50,
  );
  for (const run of runs) await stop(run);
  const finals = (await entriesOf(directory)).filter(({ type }) => type !== 'hold');
  t.same(finals.map(({ id }) => id).sort(), [...ids].sort());

  const again = temporaryDirectory(t);
  deadBoot(join(again, 'ledger'), encodeLine(hold('r')));
  const first = setting(again);
  await first.recovery.start();
  const second = setting(again);
  await second.recovery.start();
  t.equal(second.recovery.open.length, 0, 'the first one has it');
  await stop(first);
  writeFileSync(second.log, logLine('r'));
  await until(() => second.recovered.length === 1);
  await stop(second);
});

t.test('case 57: damage refuses the start until repair is asked', async (t) => {
  const directory = temporaryDirectory(t);
  deadBoot(join(directory, 'ledger'), `damaged\n${encodeLine(hold('r'))}`);
  const run = setting(directory);
  await t.rejects(run.recovery.start(), LedgerDamageError);
  await stop(run);
  const repairing = setting(directory, { repair: true, envoyStart: async () => Date.now() + 1 });
  await repairing.recovery.start();
  t.match(repairing.recovered, [{ id: 'r' }]);
  await stop(repairing);
});

/** One step of a process: a hold, or the end of an earlier one. */
const STEPS = fc.array(fc.nat(9), { minLength: 1, maxLength: 25 });
const LIVES = fc.array(fc.record({ steps: STEPS, cut: fc.double({ min: 0, max: 1, noNaN: true }) }), {
  minLength: 1,
  maxLength: 4,
});

function life(number: number, steps: readonly number[]): Buffer {
  const open: string[] = [];
  const lines = steps.map((step, at) => {
    const id = open.splice(step, 1)[0];
    if (id !== undefined) return encodeLine(final(id));
    open.push(`p${number}-${at}`);
    return encodeLine(hold(`p${number}-${at}`));
  });
  return Buffer.from(lines.join(''));
}

t.test('any lives, each cut at any byte, recovery crashing too: one final entry for each hold', async (t) => {
  await fc.assert(
    fc.asyncProperty(LIVES, fc.nat(3), async (lives, crashes) => {
      const directory = temporaryDirectory(t);
      for (const [number, { steps, cut }] of lives.entries()) {
        const bytes = life(number, steps);
        deadBoot(join(directory, 'ledger'), bytes.subarray(0, Math.round(bytes.length * cut)));
      }
      const before = await entriesOf(directory);
      for (let run = 0; run < crashes; run += 1) await recoverAndCrash(directory);
      const last = setting(directory, { envoyStart: async () => Date.now() + 1 });
      await last.recovery.start();
      await stop(last);
      return isSound(before, await entriesOf(directory));
    }),
    { numRuns: 60 },
  );
  t.pass();
});

/** A recovering process that dies after some of its entries: they are in its boot, nothing is marked. */
async function recoverAndCrash(directory: string): Promise<void> {
  const entries = await entriesOf(directory);
  const done = new Set(entries.filter(({ type }) => type !== 'hold').map(({ id }) => id));
  const open = entries.filter(({ type, id }) => type === 'hold' && !done.has(id)).slice(0, 2);
  const text = open.map(({ id }) => encodeLine(final(id, { type: 'estimate' }))).join('');
  deadBoot(join(directory, 'ledger'), text.slice(0, Math.ceil(text.length * 0.8)));
}

function isSound(before: readonly LedgerEntry[], after: readonly LedgerEntry[]): boolean {
  const count = new Map<string, number>();
  for (const { type, id } of after) if (type !== 'hold') count.set(id, (count.get(id) ?? 0) + 1);
  const holds = before.filter(({ type }) => type === 'hold').map(({ id }) => id);
  const settled = before.filter(({ type }) => type === 'settle').map((entry) => JSON.stringify(entry));
  const kept = new Set(after.map((entry) => JSON.stringify(entry)));
  return (
    holds.every((id) => count.get(id) === 1) && count.size === holds.length && settled.every((one) => kept.has(one))
  );
}

t.test('the owner of this process is found', async (t) => {
  t.match(currentOwner(), { pid: process.pid });
});
