import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { findEntries } from '../../../src/accounting/ledger/find-entries.js';
import { Reconciler, type ReconcilerOptions } from '../../../src/accounting/reconcile/create-reconciler.js';
import type { Disagreement } from '../../../src/accounting/reconcile/disagreement.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';

function lineOf(id: string, changes: Record<string, unknown> = {}): string {
  const line = {
    time: new Date().toISOString(),
    id,
    status: 200,
    flags: '-',
    details: 'via_upstream',
    bytes_received: 400,
    bytes_sent: 1_100,
    ms: 900,
    attempts: 1,
    cluster: 'provider-openai',
    generation: '1',
    stream: false,
    ...changes,
  };
  // As Envoy writes them.
  const sorted = Object.entries(line).sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted))}\n`;
}

/** The same line, in an order that has to be parsed. */
function turned(line: string): string {
  return `${JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse()))}\n`;
}

/** As the gateway writes it: with its one attempt. */
function entryOf(id: string, changes: Partial<FinalEntry> = {}): FinalEntry {
  const attempt = {
    target: 'openai/gpt-5',
    status: 200,
    outcome: 'success',
    reason: null,
    ms: 1,
    first_token_ms: null,
  } as const;
  return final(id, { attempts: [attempt], ...changes });
}

interface Setting {
  readonly reconciler: Reconciler;
  readonly told: Disagreement[];
  readonly pairs: string[];
  readonly log: string;
  /** Sets the clock forward. */
  pass(ms: number): void;
}

async function setting(directory: string, options: Partial<ReconcilerOptions> = {}): Promise<Setting> {
  const log = join(directory, 'access.jsonl');
  writeFileSync(log, lineOf('before'));
  const told: Disagreement[] = [];
  const pairs: string[] = [];
  let now = Date.now();
  const reconciler = new Reconciler({
    accessLogPath: log,
    providerOf: (cluster) => (cluster.startsWith('provider-') ? cluster.slice(9) : null),
    isOurs: (generation) => generation !== '2',
    find: (ids, since) => findEntries(join(directory, 'ledger'), ids, since),
    onDisagreement: (disagreement) => told.push(disagreement),
    onPair: ({ id }) => pairs.push(id),
    onProblem: (_message, error) => {
      throw error;
    },
    now: () => now,
    pollMs: 60_000,
    ...options,
  });
  await reconciler.start();
  return { reconciler, told, pairs, log, pass: (ms) => (now += ms) };
}

t.test('what line and entry say about the same request', async (t) => {
  const two = [entryOf('x').attempts[0], entryOf('x').attempts[0]].flatMap((attempt) => (attempt ? [attempt] : []));
  const cases: readonly {
    name: string;
    line?: Record<string, unknown>;
    entry?: Partial<FinalEntry>;
    want: object[];
  }[] = [
    { name: 'the same', want: [] },
    { name: 'status', line: { status: 502 }, want: [{ kind: 'status_differs', line: 502, entry: 200 }] },
    { name: 'attempts', line: { attempts: 2 }, want: [{ kind: 'attempts_differ', line: 2, entry: 1 }] },
    { name: 'two attempts', line: { attempts: 2 }, entry: { attempts: two }, want: [] },
    { name: 'target', line: { cluster: 'provider-p' }, want: [{ kind: 'target_differs', line: 'p', entry: 'openai' }] },
    { name: 'no provider', line: { cluster: 'none' }, want: [] },
    { name: 'free', entry: { type: 'void', usage: {}, usage_source: null }, want: [{ kind: 'bytes_without_usage' }] },
    { name: 'nothing was said', entry: { usage: { input: 9, output: 0 } }, want: [] },
    {
      name: 'embeddings have no output',
      entry: { endpoint: '/v1/embeddings', usage: { input: 9 }, usage_source: 'estimated' },
      want: [],
    },
    {
      name: 'an error is free',
      line: { status: 503, cluster: null },
      entry: { type: 'void', status: 503, usage: {}, usage_source: null, target: null },
      want: [],
    },
    { name: 'left before the answer', line: { status: 0, flags: 'DC' }, entry: { status: 499 }, want: [] },
    { name: 'left in the middle', line: { flags: 'DC' }, entry: { status: 499 }, want: [] },
    { name: 'recovered', line: { attempts: 3 }, entry: { status: 503, recovered: true }, want: [] },
  ];
  for (const { name, line = {}, entry = {}, want } of cases) {
    for (const [lineFirst, order] of [
      [true, lineOf],
      [false, lineOf],
      [false, (...what: Parameters<typeof lineOf>) => turned(lineOf(...what))],
    ] as const) {
      const directory = temporaryDirectory(t);
      const { reconciler, told, log } = await setting(directory);
      if (!lineFirst) reconciler.finished(entryOf('r', entry));
      appendFileSync(log, order('r', line));
      await reconciler.check();
      if (lineFirst) reconciler.finished(entryOf('r', entry));
      t.match(told, want, name);
      t.equal(told.length, want.length, name);
      await reconciler.stop();
    }
  }
});

t.test('one of the two is missing', async (t) => {
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(join(directory, 'ledger'));
  const { reconciler, told, pairs, log, pass } = await setting(directory);
  await held(ledger, hold('open'));
  await held(ledger, hold('theirs'));
  ledger.finish(entryOf('theirs'));
  await ledger.synced();
  for (const id of ['lost', 'open', 'theirs', 'mine']) appendFileSync(log, lineOf(id));
  appendFileSync(log, lineOf('other generation', { generation: '2' }));
  appendFileSync(log, lineOf('refused', { attempts: 0, status: 429, cluster: null }));
  appendFileSync(log, 'no line of ours\n');
  reconciler.finished(entryOf('mine'));
  reconciler.finished(entryOf('unseen'));
  reconciler.finished(final('refused', { type: 'refusal', status: 429 }));
  await reconciler.check();
  pass(9_000);
  await reconciler.check();
  t.same(told, []);
  pass(2_000);
  await reconciler.check();
  t.match(told, [
    { id: 'lost', kind: 'missing_entry', line: 200, entry: null },
    { id: 'open', kind: 'unsettled' },
  ]);
  reconciler.finished(entryOf('open'));
  t.match(told.at(-1), { id: 'open', kind: 'late', entry: 'settle' });
  pass(600_000);
  await reconciler.check();
  t.match(told.slice(3), [
    { id: 'unseen', kind: 'missing_line', entry: 200 },
    { id: 'open', kind: 'missing_line' },
  ]);
  t.same(pairs, ['mine', 'theirs']);
  t.same(
    reconciler.list().map(({ id }) => id),
    told.map(({ id }) => id).reverse(),
    'newest first',
  );
  await reconciler.stop();
  await ledger.close();
});

t.test('what is kept is bounded', async (t) => {
  const { reconciler, told } = await setting(temporaryDirectory(t));
  for (let at = 0; at < 22_500; at += 1) reconciler.finished(entryOf(`r${at}`));
  t.equal(told.length, 2_500);
  t.match(told[0], { id: 'r0', kind: 'unwatched' });
  t.equal(reconciler.list().length, 1_000);
  await reconciler.stop();
});

const HISTORY = fc.array(
  fc.record({ id: fc.nat(15), what: fc.constantFrom('line', 'entry', 'rotate', 'poll', 'half') }),
  { maxLength: 60 },
);

t.test('any order, through rotation: every pair is found once, and nothing is told', async (t) => {
  await fc.assert(
    fc.asyncProperty(HISTORY, async (steps) => {
      const directory = temporaryDirectory(t);
      const { reconciler, told, pairs, log } = await setting(directory);
      const lines = new Set<number>();
      const entries = new Set<number>();
      let path = log;
      let rotations = 0;
      const write = (id: number, half: boolean) => {
        if (lines.has(id)) return;
        lines.add(id);
        const line = lineOf(`r${id}`);
        appendFileSync(path, half ? line.slice(0, 40) : line);
        if (half) appendFileSync(path, line.slice(40));
      };
      for (const { id, what } of steps) {
        if (what === 'line' || what === 'half') write(id, what === 'half');
        else if (what === 'poll') await reconciler.check();
        else if (what === 'entry') {
          if (entries.has(id)) continue;
          entries.add(id);
          reconciler.finished(entryOf(`r${id}`));
        } else {
          // Until the log is opened anew, the renamed one is written.
          await reconciler.check();
          if (path === log) {
            rotations += 1;
            path = `${log}.${rotations}`;
            renameSync(log, path);
          } else {
            path = log;
            writeFileSync(log, '');
          }
        }
      }
      await reconciler.check();
      const both = [...lines].filter((id) => entries.has(id)).map((id) => `r${id}`);
      t.same([...pairs].sort(), both.sort());
      t.same(told, []);
      await reconciler.stop();
      return t.passing();
    }),
    { numRuns: 80 },
  );
});
