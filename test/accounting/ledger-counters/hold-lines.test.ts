import t from 'tap';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { HoldLines } from '../../../src/accounting/ledger-counters/hold-lines.js';
import { final, hold } from '../samples.js';

const limits = { 'a|b|1': 50 };

function visits(entries: readonly LedgerEntry[]): string[] {
  const seen: string[] = [];
  const wants = (line: Buffer): boolean => line.includes('"limits":');
  const lines = new HoldLines(
    { wants, visit: ({ type, id }, boot) => void seen.push(`${boot} ${type} ${id}`) },
    'boot',
  );
  for (const entry of entries) lines.take(Buffer.from(encodeLine(entry).trimEnd()));
  lines.visitOpen();
  lines.visitOpen();
  return seen;
}

t.test('a hold that is ended with its places is left out, every other one is told', async (t) => {
  t.strictSame(visits([hold('r1', { limits }), final('r1', { limits: ['a|b|1'] })]), ['boot settle r1']);
  t.strictSame(visits([hold('r1', { limits })]), ['boot hold r1'], 'open');
  t.strictSame(visits([hold('r1')]), [], 'about no limit');
  t.strictSame(
    visits([hold('r1', { limits }), final('r1', { labels: { limits: 'x' } })]),
    ['boot hold r1', 'boot settle r1'],
    'ended without places: those of the hold count',
  );
  t.strictSame(
    visits([hold('r1', { limits }), hold('r2', { limits }), final('r2', { limits: ['a|b|1'] })]),
    ['boot settle r2', 'boot hold r1'],
    'another one',
  );
  t.strictSame(
    visits([hold('r1', { limits }), hold('r1', { limits }), final('r1', { limits: ['a|b|1'] })]),
    ['boot hold r1', 'boot settle r1'],
    'twice',
  );
  t.strictSame(
    visits([final('r1', { limits: ['a|b|1'] }), hold('r1', { limits })]),
    ['boot settle r1', 'boot hold r1'],
    'the wrong way round',
  );
});

t.test('a damaged end ends nothing', async (t) => {
  const seen: string[] = [];
  const lines = new HoldLines({ wants: () => true, visit: ({ type }) => void seen.push(type) }, 'boot');
  lines.take(Buffer.from(encodeLine(hold('r1', { limits })).trimEnd()));
  lines.take(
    Buffer.from(
      `00000000${encodeLine(final('r1', { limits: ['a|b|1'] }))
        .trimEnd()
        .slice(8)}`,
    ),
  );
  lines.visitOpen();
  t.strictSame(seen, ['hold']);
});
