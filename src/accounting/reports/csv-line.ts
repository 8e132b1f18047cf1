/**
 * One line of RFC 4180. Text that a spreadsheet would run as a formula is defused by an apostrophe: labels and model names come
 * from outside. Numbers are left as they are.
 */
export function csvLine(cells: readonly (string | number | bigint)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** Also behind blanks, which some programs skip, and in the full-width forms that some take for the same. */
const FORMULA = /^[\s\0]*[=+\-@＝＋－＠]|^[\t\r\n]/;
const DECIMAL = /^-?\d+(\.\d+)?$/;

function csvCell(cell: string | number | bigint): string {
  const text = String(cell);
  const safe = typeof cell === 'string' && FORMULA.test(text) && !DECIMAL.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
