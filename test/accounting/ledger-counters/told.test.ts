import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import type { FinalEntry, LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { claimDirectory, heartbeatPath } from '../../../src/accounting/ledger/owner.js';
import { collectSeed, LedgerCounters } from '../../../src/accounting/ledger-counters/ledger-counters.js';
import type { Seed } from '../../../src/store/counter-store.js';
import { FaultyDisk } from '../ledger/faulty-disk.js';
import { DEAD, final, hold, type TestLedger, temporaryDirectory, testLedger } from '../samples.js';

const NOW = Date.UTC(2026, 10, 20, 12, 0, 30);
const COST = 'budget|cost|total|search@0';
const ENDED = `rate|tokens|60000ms|web@${NOW - 3_600_000}`;
const OPEN = 'rate|concurrent|total|web@0';
/** More than one line of a checkpoint holds, so that writing it takes several turns. */
const MANY = Array.from({ length: 1_100 }, (_, number) => `user|requests|total|${number}@0`);
/** Of a process that died before: one of its holds is settled, three are left for recovery. */
const BEFORE = '20261101T080000000Z-0';
const LEFT = ['left0', 'left1', 'left2'];

function plain(seed: Seed): object {
  return {
    used: Object.fromEntries([...seed.used].map(([place, sum]) => [place, String(sum)]).sort()),
    holds: Object.fromEntries([...seed.holds].map(([id, { places, ttlMs }]) => [id, [ttlMs, [...places]]]).sort()),
  };
}

function deadBoot(ledger: string, name: string, entries: readonly LedgerEntry[]): void {
  mkdirSync(ledger, { recursive: true });
  claimDirectory(ledger, name, DEAD);
  writeFileSync(join(ledger, name, '00000001.ledger'), entries.map(encodeLine).join(''));
}

t.test('what this process writes is counted without being read', async (t) => {
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(directory);
  const replayed: string[] = [];
  const counters = new LedgerCounters({
    directory,
    checkpointPath: null,
    now: () => NOW,
    own: ledger,
    onReplayed: ({ id }) => replayed.push(id),
  });
  t.throws(() => ledger.follow(() => undefined), 'for one listener');
  deadBoot(directory, BEFORE, [hold('left', { limits: { [COST]: 9 } })]);
  ledger.finish(final('left', { cost_nano_usd: 2, recovered: true }));
  await ledger.synced();
  t.equal(counters.seed('x').used.size, 0, 'recovery was faster than the opening');
  await counters.open();
  t.same(replayed, ['left']);
  ledger.hold(hold('a', { limits: { [COST]: 9 } }), () => undefined);
  ledger.hold(hold('b', { limits: { [COST]: 9 }, expires: NOW }), () => undefined);
  ledger.finish(final('a', { cost_nano_usd: 5 }));
  ledger.finish(final('odd', { cost_nano_usd: Number.POSITIVE_INFINITY, limits: [COST] }));
  t.same(plain(counters.seed('x')), { used: { [COST]: '2' }, holds: {} }, 'not on the disk yet');
  await ledger.synced();
  const expected = { used: { [COST]: '7' }, holds: { b: [60_000, [[COST, 9]]] } };
  t.same(plain(counters.seed('x')), expected);
  truncateSync(join(directory, ledger.boot, '00000001.ledger'), 0);
  await counters.advance();
  t.same(plain(counters.seed('x')), expected);
  await ledger.close();
  t.throws(() => ledger.follow(() => undefined), 'from its beginning');
});

/** What one process does next. */
const STEP = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('hold' as const), about: fc.nat(3) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('final' as const), places: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('recover' as const), one: fc.nat(LEFT.length - 1) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom<'checkpoint' | 'advance'>('checkpoint', 'advance') }) },
  // It goes on while others of these steps are done.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('begin checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('busy checkpoint' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('full' as const), space: fc.nat(1_500) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('space' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('broken' as const), truncate: fc.boolean(), sync: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('others' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), lost: fc.nat(300) }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** A gateway's data directory through the lives of several processes. */
class History {
  #directory: string;
  readonly #parent: string;
  #lives = 0;
  #requests = 0;
  readonly #open: string[] = [];
  #left = [...LEFT];
  disk = new FaultyDisk();
  #own: TestLedger;
  counters: LedgerCounters;

  constructor(parent: string) {
    this.#parent = parent;
    this.#directory = join(parent, '0');
    const limits = { [COST]: 9, [OPEN]: 1 };
    deadBoot(this.#ledger, BEFORE, [
      final('many', { limits: MANY }),
      ...LEFT.map((id) => hold(id, { limits, expires: NOW })),
    ]);
    ({ own: this.#own, counters: this.counters } = this.#begin());
  }

  get #ledger(): string {
    return join(this.#directory, 'ledger');
  }

  #begin(): { own: TestLedger; counters: LedgerCounters } {
    const options = { disk: this.disk, segmentBytes: 4_000, backlogBytes: 3_000, retryMs: 1, syncMs: 1 };
    const own = testLedger(this.#ledger, options);
    const checkpointPath = join(this.#directory, 'counters.json');
    const counters = new LedgerCounters({ directory: this.#ledger, checkpointPath, now: () => NOW, own: own.ledger });
    return { own, counters };
  }

  async do(step: Step): Promise<void> {
    if (step.kind === 'hold') this.#hold(step.about);
    else if (step.kind === 'final') this.#final(step.places);
    else if (step.kind === 'recover') this.#recover(step.one);
    else if (step.kind === 'turn') await turn();
    else if (step.kind === 'checkpoint') await this.counters.checkpoint();
    else if (step.kind === 'advance') await this.counters.advance();
    else if (step.kind === 'begin checkpoint') void this.counters.checkpoint();
    else if (step.kind === 'busy checkpoint') await this.#busyCheckpoint();
    else if (step.kind === 'full') this.disk.space = step.space;
    else if (step.kind === 'space') await this.#makeSpace();
    else if (step.kind === 'broken') Object.assign(this.disk, { failTruncate: step.truncate, failSync: step.sync });
    else if (step.kind === 'others') this.#others();
    else if (step.kind === 'kill') await this.#kill(step.lost);
  }

  #hold(about: number): void {
    const id = `r${this.#requests++}`;
    const all = [{}, { limits: { [COST]: 9 } }, { limits: { [COST]: 5, [ENDED]: 1 } }, { limits: { [OPEN]: 1 } }];
    this.#own.ledger.hold(hold(id, { expires: NOW + about * 100_000, ...all[about] }), (error) => {
      if (!error) this.#open.push(id);
    });
  }

  #final(places: boolean): void {
    const id = this.#open.shift();
    if (id === undefined) return;
    const about: Partial<FinalEntry> = places ? { limits: [COST, ENDED, OPEN] } : {};
    this.#own.ledger.finish(final(id, { cost_nano_usd: 1_000 + this.#requests, ...about }));
  }

  async #busyCheckpoint(): Promise<void> {
    let isWritten = false;
    const written = this.counters.checkpoint().finally(() => {
      isWritten = true;
    });
    for (let round = 0; round < 20 && !isWritten; round += 1) {
      this.#hold(1);
      await turn();
      this.#final(true);
    }
    await written;
  }

  async #makeSpace(): Promise<void> {
    this.disk.space = Number.POSITIVE_INFINITY;
    while (!this.#own.ledger.writable) await setTimeout(1);
  }

  #recover(one: number): void {
    const [id] = this.#left.splice(one, 1);
    if (id !== undefined) this.#own.ledger.finish(final(id, { cost_nano_usd: 3, recovered: true }));
  }

  /** A process of another generation has lived and died meanwhile. */
  #others(): void {
    const id = `other${this.#requests++}`;
    deadBoot(this.#ledger, `20261102T08000${String(this.#requests).padStart(4, '0')}Z-0`, [
      hold(id, { limits: { [COST]: 7 }, expires: NOW }),
      final(`${id}-done`, { limits: [COST], cost_nano_usd: 11 }),
    ]);
    this.#left.unshift(id);
  }

  /** What is on the disk at this moment is all that the next process finds, maybe without what a power cut took. */
  async #kill(lost: number): Promise<void> {
    const before = this.#own.ledger;
    this.#lives += 1;
    const next = join(this.#parent, String(this.#lives));
    cpSync(this.#directory, next, { recursive: true });
    this.disk.space = 0;
    this.#directory = next;
    for (const boot of readdirSync(this.#ledger)) {
      writeFileSync(heartbeatPath(join(this.#ledger, boot)), JSON.stringify(DEAD));
    }
    if (lost < 100) this.#cut(before.boot, lost);
    await before.close();
    this.#open.length = 0;
    this.disk = new FaultyDisk();
    ({ own: this.#own, counters: this.counters } = this.#begin());
    await this.counters.open();
  }

  #cut(boot: string, bytes: number): void {
    const last = readdirSync(join(this.#ledger, boot))
      .filter((name) => name.endsWith('.ledger'))
      .sort()
      .at(-1);
    if (last === undefined) return;
    const path = join(this.#ledger, boot, last);
    truncateSync(path, Math.max(0, statSync(path).size - bytes));
  }

  /** What was told with what a reading from the beginning finds. Throws where they differ. */
  async compare(): Promise<void> {
    for (;;) {
      await turn();
      const before = this.#own.ledger.position;
      await this.counters.advance();
      const told = plain(this.counters.seed('x'));
      const read = plain(await collectSeed({ directory: this.#ledger, now: () => NOW, source: 'x' }));
      // What was waiting for the disk may have come in between.
      const after = this.#own.ledger.position;
      if (before.segment === after.segment && before.offset === after.offset) return assert.deepEqual(told, read);
    }
  }

  async end(): Promise<void> {
    this.disk.space = Number.POSITIVE_INFINITY;
    await this.#own.ledger.close();
    await this.counters.stop();
  }
}

t.test('any history of one disk and the processes that die on it: as read from the beginning', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 60 }), async (steps) => {
      const history = new History(temporaryDirectory(t));
      await history.counters.open();
      for (const step of steps) {
        await history.do(step);
        if (step.kind === 'kill' || step.kind === 'advance') await history.compare();
      }
      await history.compare();
      await history.end();
      await history.compare();
    }),
    { numRuns: 80 },
  );
});
