/** A table in Markdown. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableRow(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(tableRow)].join('\n');
}

export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

export function verdict(met: boolean): string {
  return met ? 'yes' : 'no';
}
