import { writeSync } from 'node:fs';
import { openLedger } from '../../../src/accounting/ledger/open-ledger.js';
import { final, hold } from '../samples.js';

/**
 * Run by kill.test.ts as a process of its own: writes holds and final entries without pause and says on stdout what was
 * acknowledged, until it is killed or has written `count` requests.
 */
const [directory = '', count = '0'] = process.argv.slice(2);
const ledger = openLedger({
  directory,
  syncMs: 20,
  segmentBytes: 40_000,
  now: Date.now,
  onProblem: ({ kind }) => say(`problem ${kind}`),
});

let next = 0;
writeMore();

function writeMore(): void {
  for (let lane = 0; lane < 8; lane += 1) {
    const id = `${process.pid}-${next++}`;
    ledger.hold(hold(id), (error) => {
      say(error ? `refused ${id}` : `held ${id}`);
      if (!error && next % 3 !== 0) ledger.finish(final(id));
    });
  }
  if (Number(count) === 0 || next < Number(count)) setImmediate(writeMore);
  else setTimeout(() => ledger.close().then(() => say(`closed ${ledger.statistics.entries}`)), 600);
}

function say(text: string): void {
  writeSync(1, `${text}\n`);
}
