import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { currentOwner, releaseDirectory } from '../../../src/accounting/ledger/owner.js';
import { verifyLedger } from '../../../src/accounting/ledger/verify.js';
import type { RecordsEngine } from '../../../src/accounting/records/engine.js';
import { LedgerTail } from '../../../src/accounting/records/ledger-tail.js';
import type { Database, DatabaseSettings, Session } from '../../../src/accounting/records/sql/database.js';
import { openDatabase } from '../../../src/accounting/records/sql/open-database.js';
import { UsageReport } from '../../../src/accounting/records/usage-report.js';
import type { FilePosition } from '../../../src/accounting/records/write-batch.js';
import { DEAD, final, hold, temporaryDirectory } from '../samples.js';
import { ask, KINDS, testDatabases, testEngine } from './databases.js';

// Whatever is killed when, the records are the ledger: nothing lost, nothing twice.

const BOOTS = 3;

/** Fails like a killed process: before a statement runs, or after it has run and before anybody heard of it. */
function dyingAfter(statements: number): typeof openDatabase {
  let left = statements;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left === 0) throw new Error('killed before');
    const result = await work();
    left -= 1;
    if (left === 0) throw new Error('killed after');
    return result;
  };
  const dying = (session: Session): Session => ({
    kind: session.kind,
    query: (sql, values) => step(() => session.query(sql, values)),
    write: (upsert, rows) => step(() => session.write(upsert, rows)),
  });
  return async (settings, options): Promise<Database> => {
    const database = await openDatabase(settings, options);
    return {
      ...dying(database),
      transaction: (work) => step(() => database.transaction((session) => work(dying(session)))),
      close: () => database.close(),
    };
  };
}

interface Begun {
  readonly entry: FinalEntry;
  readonly rest: string;
}

/** What a property does to a ledger directory, and what must be in the records in the end. */
class Writing {
  readonly directory: string;
  readonly expected = new Map<string, FinalEntry>();
  readonly #segments = new Map<number, number>();
  readonly #begun = new Map<number, Begun>();
  #number = 0;

  constructor(directory: string) {
    this.directory = directory;
    for (let boot = 0; boot < BOOTS; boot += 1) {
      mkdirSync(this.#boot(boot), { recursive: true });
      const owner = boot === 0 ? DEAD : currentOwner();
      writeFileSync(join(this.#boot(boot), 'owner.json'), JSON.stringify(owner));
    }
  }

  /** A hold, a final entry, or one that is in the ledger already. */
  entry(boot: number, kind: number): void {
    this.#complete(boot);
    const again = kind === 4 ? [...this.expected.values()][this.#number % Math.max(1, this.expected.size)] : undefined;
    const entry = again ?? this.#new(kind);
    this.#append(boot, encodeLine(kind === 0 ? hold(entry.id) : entry));
    if (kind !== 0) this.expected.set(entry.id, entry);
  }

  /** Begins a line; its end comes with the next write to the boot, or never. */
  begin(boot: number, share: number): void {
    this.#complete(boot);
    const entry = this.#new(1);
    const line = encodeLine(entry);
    // At least the brace is missing: a whole line without its newline has a test of its own.
    const cut = Math.max(1, Math.floor(share * (line.length - 2)));
    this.#append(boot, line.slice(0, cut));
    this.#begun.set(boot, { entry, rest: line.slice(cut) });
  }

  damage(boot: number): void {
    this.#complete(boot);
    this.#append(boot, 'deadbeef {"type":"settle","id":"x","time":"y"}\n\n   \n');
  }

  turn(boot: number): void {
    this.#complete(boot);
    this.#segments.set(boot, (this.#segments.get(boot) ?? 1) + 1);
  }

  #complete(boot: number): void {
    const begun = this.#begun.get(boot);
    if (!begun) return;
    this.#append(boot, begun.rest);
    this.#begun.delete(boot);
    this.expected.set(begun.entry.id, begun.entry);
  }

  #new(kind: number): FinalEntry {
    this.#number += 1;
    const number = this.#number;
    const time = new Date(Date.UTC(2026, 10, 1 + (kind % 3), kind, number)).toISOString();
    const labels = { team: `t${kind % 3}` };
    return final(`e${number}`, { time, labels, model: `m${kind % 2}`, cost_nano_usd: number });
  }

  #append(boot: number, text: string): void {
    const name = `${String(this.#segments.get(boot) ?? 1).padStart(8, '0')}.ledger`;
    appendFileSync(join(this.#boot(boot), name), text);
  }

  #boot(boot: number): string {
    return join(this.directory, `2026110${boot + 1}T000000000Z-0`);
  }
}

const boot = fc.integer({ min: 0, max: BOOTS - 1 });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('entry' as const), boot, kind: fc.integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      boot,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('damage' as const), boot }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('turn' as const), boot }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), livingOnly: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const), after: fc.integer({ min: 1, max: 40 }) }) },
);

async function play(
  t: Tearable,
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
  database: DatabaseSettings,
): Promise<void> {
  const writing = new Writing(temporaryDirectory(t));
  const { directory } = writing;
  // Another process that follows the same ledger, between the deaths of the first.
  const other = testEngine(t, { directory, database });
  for (const one of steps) {
    if (one.do === 'entry') writing.entry(one.boot, one.kind);
    else if (one.do === 'begin') writing.begin(one.boot, one.share);
    else if (one.do === 'damage') writing.damage(one.boot);
    else if (one.do === 'turn') writing.turn(one.boot);
    else if (one.do === 'take') await other.catchUp(one);
    else {
      const dying = testEngine(t, { directory, database }, dyingAfter(one.after));
      await dying.catchUp({ livingOnly: false }).catch(() => undefined);
      await dying.close();
    }
  }
  await other.catchUp({ livingOnly: false });
  await sameAsLedger(other, writing);
  const counted = await verifyLedger(directory);
  const rows = await ask(database, 'select count(*) as count from requests');
  assert(rows[0]?.['count'] === BigInt(writing.expected.size), 'one row each');
  // Blank lines are no damage; what verify calls torn may be a damaged line here.
  assert(other.state.damagedLines >= counted.damages.length, 'damage is counted');
  await other.close();
}

async function sameAsLedger(engine: RecordsEngine, { expected }: Writing): Promise<void> {
  for (const by of [[], ['team', 'model']]) {
    const report = new UsageReport(by);
    for (const entry of expected.values()) report.add(entry);
    assert(JSON.stringify(await engine.usage({ by })) === JSON.stringify(report.rows()), `usage by ${by}`);
  }
  const { data } = await engine.list({ limit: 1_000 });
  const ids = data.map(({ id }) => id).sort();
  assert(JSON.stringify(ids) === JSON.stringify([...expected.keys()].sort()), 'the same requests');
}

interface Tearable {
  teardown(done: () => unknown): void;
}

for (const { kind, skip } of KINDS) {
  t.test(`${kind}: killed anywhere, nothing is lost and nothing doubled`, { skip }, async (t) => {
    const databases = await testDatabases(t, kind);
    const steps = fc.array(step, { minLength: 5, maxLength: 60 });
    const cleanUps: (() => unknown)[] = [];
    const property = fc.asyncProperty(steps, async (list) => {
      await play({ teardown: (done) => cleanUps.push(done) }, list, await databases.make());
      for (const done of cleanUps.splice(0).reverse()) await done();
    });
    await t.resolves(fc.assert(property, { numRuns: kind === 'sqlite' ? 60 : 12 }));
  });
}

t.test('ends of files', async (t) => {
  const databases = await testDatabases(t, 'sqlite');
  const engineFor = async (directory: string) => testEngine(t, { directory, database: await databases.make() });
  const bootOf = (directory: string) => join(directory, '20261101T000000000Z-0');
  const count = async (engine: RecordsEngine) => {
    await engine.catchUp({ livingOnly: false });
    const [sum] = await engine.usage({ by: [] });
    return sum?.requests ?? 0;
  };
  const begin = (owner: object, text: string) => {
    const directory = temporaryDirectory(t);
    mkdirSync(bootOf(directory));
    writeFileSync(join(bootOf(directory), 'owner.json'), JSON.stringify(owner));
    const segment = join(bootOf(directory), '00000001.ledger');
    writeFileSync(segment, text);
    return { directory, segment };
  };
  const line = (id: string) => encodeLine(final(id));

  await t.test('a last line without its newline counts once its process has ended', async (t) => {
    const { directory } = begin(currentOwner(), line('a') + line('b').trimEnd());
    const engine = await engineFor(directory);
    t.equal(await count(engine), 1);
    releaseDirectory(bootOf(directory));
    t.equal(await count(engine), 2);
    t.equal(engine.state.behindBytes, 0);
  });

  await t.test('blanks that a writer cuts off again are not taken for read', async (t) => {
    const { directory, segment } = begin(currentOwner(), line('a'));
    const engine = await engineFor(directory);
    appendFileSync(segment, `${' '.repeat(4_095)}\n`);
    t.equal(await count(engine), 1);
    writeFileSync(segment, line('a') + Array.from({ length: 30 }, (_, number) => line(`b${number}`)).join(''));
    t.equal(await count(engine), 31);
  });

  await t.test('a torn end is no delay; a longer line than any is damage', async (t) => {
    const torn = begin(DEAD, line('a') + line('b').slice(0, 50));
    const engine = await engineFor(torn.directory);
    t.equal(await count(engine), 1);
    t.same(engine.state, { behindBytes: 0, written: 1, damagedLines: 0 });
    const long = begin(DEAD, `${line('a')}${'x'.repeat(3 * 1024 * 1024)}\n${line('b')}`);
    const other = await engineFor(long.directory);
    t.equal(await count(other), 2);
    t.ok(other.state.damagedLines >= 1);
    t.equal(other.state.behindBytes, 0);
  });

  await t.test('the first segment of a process that lives is found without a look at all others', async (t) => {
    const directory = temporaryDirectory(t);
    mkdirSync(bootOf(directory));
    writeFileSync(join(bootOf(directory), 'owner.json'), JSON.stringify(currentOwner()));
    const engine = await engineFor(directory);
    t.equal(await count(engine), 0, 'it has written nothing yet');
    writeFileSync(join(bootOf(directory), '00000001.ledger'), line('a'));
    await engine.catchUp({ livingOnly: true });
    t.equal((await engine.usage({ by: [] }))[0]?.requests, 1);
  });

  await t.test('a repaired segment is read again', async (t) => {
    const garbage = 'damage in the middle, longer than the lines around it';
    const { directory, segment } = begin(DEAD, `${line('a')}${garbage}\n${line('b')}${line('c')}`);
    const engine = await engineFor(directory);
    t.equal(await count(engine), 3);
    t.equal(engine.state.damagedLines, 1);
    writeFileSync(`${segment}.repaired`, `${line('a')}${line('b')}${line('c')}`);
    renameSync(`${segment}.repaired`, segment);
    t.equal(await count(engine), 3);
    t.equal(engine.state.damagedLines, 0);
    const more = ['d', 'e', 'f', 'g', 'h', 'i'].map(line).join('');
    writeFileSync(`${segment}.repaired`, `${line('a')}${more}${line('b')}${line('c')}`);
    renameSync(`${segment}.repaired`, segment);
    t.equal(await count(engine), 9, 'what was put back counts, also before the old position');
  });
});

function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

t.test(
  'in small pieces, each from the end of the one before: the same entries, also lines longer than a piece',
  async (t) => {
    const writing = new Writing(temporaryDirectory(t));
    for (let at = 0; at < 60; at += 1) {
      writing.entry(at % BOOTS, 1 + (at % 3));
      if (at % 20 === 7) writing.damage(at % BOOTS);
      if (at % 25 === 9) writing.turn(at % BOOTS);
    }
    const tail = new LedgerTail(writing.directory);
    await tail.refresh({ livingOnly: false });
    const whole = tail.read();
    for (const pieceBytes of [200, 1_000, 5_000, 64 * 1024]) {
      const after = new Map<string, FilePosition>();
      const ids: string[] = [];
      for (let piece = tail.read({ after, pieceBytes }); piece !== null; piece = tail.read({ after, pieceBytes })) {
        for (const { from, to } of piece.moves) {
          t.strictSame(from, after.get(to.file) ?? null);
          after.set(to.file, to);
        }
        ids.push(...piece.entries.map(({ id }) => id));
      }
      t.strictSame(ids.toSorted(), whole?.entries.map(({ id }) => id).toSorted(), `${pieceBytes} bytes`);
      t.strictSame(
        [...after.values()],
        whole?.moves.map(({ to }) => to),
      );
    }
  },
);
