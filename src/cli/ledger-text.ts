import type { Damage } from '../accounting/ledger/read-segment.js';
import type { RepairReport } from '../accounting/ledger/repair.js';
import type { LedgerReport } from '../accounting/ledger/verify.js';

/** The report for people: what is there, and where it is damaged. */
export function reportText(report: LedgerReport): string {
  const types = Object.entries(report.by_type).map(([type, entries]) => `${entries} ${type}`);
  const lines = [
    `${count(report.entries, 'entry', 'entries')} in ${count(report.segments, 'segment', 'segments')} (${types.join(', ')})`,
    `${report.open_holds} open holds of ended processes, ${report.duplicates} duplicates, ${report.torn.length} torn ends`,
    ...report.damages.map((damage) => `damage: ${place(damage)}`),
    report.ok ? 'ok' : 'damaged',
  ];
  return `${lines.join('\n')}\n`;
}

/** What was taken out of which segment, and where the old one is. */
export function repairText(report: RepairReport): string {
  const lines = report.repaired.flatMap(({ file, copy, removed, salvaged }) => [
    ...removed.map((damage) => `removed: ${place(damage)}`),
    ...(salvaged > 0 ? [`${salvaged} whole entries found in them`] : []),
    copy === null ? `cut: ${file}` : `repaired: ${file} (the old file is ${copy})`,
  ]);
  const living = report.living.map((damage) => `left alone, its process still runs: ${place(damage)}`);
  return `${[...(lines.length > 0 ? lines : ['nothing to repair']), ...living].join('\n')}\n`;
}

function count(number: number, one: string, more: string): string {
  return `${number} ${number === 1 ? one : more}`;
}

function place({ file, offset, length }: Damage): string {
  return `${file} at offset ${offset}, ${length} bytes`;
}
