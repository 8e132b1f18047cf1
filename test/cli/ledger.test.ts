import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodeLine } from '../../src/accounting/ledger/line.js';
import { claimDirectory, currentOwner } from '../../src/accounting/ledger/owner.js';
import { ledgerCommand } from '../../src/cli/ledger.js';
import { DEAD, final, hold, temporaryDirectory } from '../accounting/samples.js';

const BOOT = '20261101T080000000Z-0';
const PLACE = 'budget|cost|total|@0';

function setUp(t: Parameters<typeof temporaryDirectory>[0], owner = DEAD) {
  const directory = temporaryDirectory(t);
  const config = join(directory, 'tollgate.yaml');
  const ledger = join(directory, 'data', 'ledger');
  writeFileSync(
    config,
    JSON.stringify({ providers: { mock: { kind: 'mock' } }, ledger: { directory: 'data/ledger' } }),
  );
  mkdirSync(ledger, { recursive: true });
  claimDirectory(ledger, BOOT, owner);
  const file = join(ledger, BOOT, '00000001.ledger');
  const entries = [
    hold('a', { limits: { [PLACE]: 9 } }),
    final('a', { limits: [PLACE] }),
    hold('b', { limits: { [PLACE]: 7 } }),
  ];
  writeFileSync(file, entries.map(encodeLine).join(''));
  return { config, file, checkpoint: join(directory, 'data', 'counters.json') };
}

/** Standard output of a command, and why it failed. */
async function run(words: readonly string[]): Promise<{ text: string; error: string | null }> {
  const real = process.stdout.write;
  const written: string[] = [];
  process.stdout.write = (chunk: string | Uint8Array) => written.push(String(chunk)) > 0;
  try {
    await ledgerCommand().parseAsync([...words], { from: 'user' });
    return { text: written.join(''), error: null };
  } catch (error) {
    return { text: written.join(''), error: error instanceof Error ? error.message : String(error) };
  } finally {
    process.stdout.write = real;
  }
}

t.test('verify tells, repair mends, rebuild counts', async (t) => {
  const { config, file, checkpoint } = setUp(t);
  const sound = await run(['verify', '-c', config]);
  t.match(sound, { error: null, text: /^3 entries in 1 segment .*\n1 open holds.*\nok\n$/ });
  t.match(await run(['rebuild', '-c', config]), {
    error: null,
    text: '1 counters and 1 open holds from the ledger\nno records database yet\n',
  });
  t.ok(existsSync(checkpoint));
  appendFileSync(file, `damage\n${encodeLine(final('b', { limits: [PLACE] }))}`);
  const damaged = await run(['verify', '-c', config, '--json']);
  t.match(damaged.error, /run `tollgate ledger repair`/);
  t.match(JSON.parse(damaged.text), { ok: false, damages: [{ length: 6 }] });
  const repaired = await run(['repair', '-c', config]);
  t.match(repaired, { error: null, text: /removed: .* at offset \d+, 6 bytes\nrepaired: .*\.damaged\)\n$/ });
  t.match(readFileSync(checkpoint, 'utf8'), `["${PLACE}","650000"]`, 'counted anew');
  t.match(await run(['verify', '-c', config]), { error: null });
  t.match(JSON.parse((await run(['rebuild', '-c', config, '--json'])).text), {
    counters: 1,
    open_holds: 0,
    records: false,
  });
  t.match(readFileSync(checkpoint, 'utf8'), `["${PLACE}","650000"]`);
  t.match(await run(['repair', '-c', config, '--format', 'json']), { error: null, text: /"repaired": \[\]/ });
});

t.test('a running gateway is left alone', async (t) => {
  const { config, file } = setUp(t, currentOwner());
  appendFileSync(file, `damage\n${encodeLine(final('b'))}`);
  const before = readFileSync(file);
  t.match(await run(['repair', '-c', config]), { error: /running gateway/, text: /nothing to repair\nleft alone/ });
  t.same(readFileSync(file), before);
});
