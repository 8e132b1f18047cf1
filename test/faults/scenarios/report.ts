import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `pass`: the client has one whole answer, or an error that says what is wrong. `safe`: the answer could not be saved any
 * more, and the client is told so; nothing is made up. `partial`: some of the cases failed. `fail`: all of them did.
 */
export type Result = 'pass' | 'safe' | 'partial' | 'fail';

/** Cases of one scenario. */
export interface Tally {
  readonly played: number;
  readonly failed: number;
}

interface Row {
  readonly title: string;
  /** Names of scenarios that show it; `*` = all of them. */
  readonly scenarios: readonly string[];
  readonly result: 'pass' | 'safe';
  /** What the client sees. */
  readonly client: string;
}

/** The public fault scenarios by which gateways are compared. */
export const ROWS: readonly Row[] = [
  {
    title: '429 with `Retry-After`',
    scenarios: ['429-retry-after', '429'],
    result: 'pass',
    client: 'one answer, of the next target, at once',
  },
  {
    title: '429 persistent',
    scenarios: ['429-everywhere'],
    result: 'pass',
    client: '429 with the smallest `retry-after` of all targets',
  },
  { title: '500 once', scenarios: ['500-once'], result: 'pass', client: 'one answer' },
  { title: '503 persistent', scenarios: ['503', '529'], result: 'pass', client: 'one answer, of the next target' },
  {
    title: 'reset before headers',
    scenarios: ['reset-before-headers', 'refused', 'unknown-name', 'wrong-certificate'],
    result: 'pass',
    client: 'one answer, of the next target',
  },
  {
    title: 'no response',
    scenarios: ['no-response', 'silence-before-body'],
    result: 'pass',
    client: 'one answer, of the next target, after `first_token` or `response`',
  },
  {
    title: 'late first token',
    scenarios: ['late-first-token', 'silence-after-headers', 'only-comments', 'empty-stream', 'error-event-first'],
    result: 'pass',
    client: 'one clean stream, of the next target',
  },
  {
    title: 'cut stream',
    scenarios: ['cut-by-reset', 'cut-by-fin'],
    result: 'safe',
    client: 'what came, then a reset: never the end of a whole answer',
  },
  { title: 'stall', scenarios: ['stall'], result: 'safe', client: 'what came, then a reset after `stall`' },
  {
    title: 'malformed chunk',
    scenarios: ['malformed-chunk', 'broken-event'],
    result: 'safe',
    client: 'broken framing: a reset; an event that is no JSON: passed on as it came',
  },
  {
    title: 'no `[DONE]`',
    scenarios: ['no-end', 'no-done'],
    result: 'safe',
    client: 'an unfinished answer ends with an error event; a finished one only lacks the line',
  },
  {
    title: 'context length',
    scenarios: ['context-length-larger', 'context-length'],
    result: 'pass',
    client: 'the answer of a target with a larger window; without one the provider’s own 400',
  },
  {
    title: 'content policy',
    scenarios: ['content-filter', 'content-filter-configured'],
    result: 'pass',
    client: 'the provider’s own 400; with `content_filter` in `retry.on` the next target’s answer',
  },
  {
    title: 'cut plus picky fallback',
    scenarios: ['cut-and-picky', 'picky-second'],
    result: 'safe',
    client: 'a cut stream is not continued elsewhere; before content: 502, not the second target’s 400',
  },
  {
    title: 'outage and recovery',
    scenarios: ['outage-and-recovery'],
    result: 'pass',
    client: 'whole answers throughout; the first target is back within seconds',
  },
  {
    title: 'accounting',
    scenarios: ['*'],
    result: 'pass',
    client: 'one final entry per request, one record line per attempt, only what was answered is paid',
  },
];

const BEGIN = '<!-- scenarios: written by `npm run faults` -->';
const END = '<!-- /scenarios -->';
const FILE = join(process.cwd(), 'docs/failover.md');

/** The table as Markdown. @param tallies by name of the scenario */
export function renderTable(tallies: ReadonlyMap<string, Tally>): string {
  const lines = ROWS.map((row) => {
    const tests = row.scenarios.map((name) => (name === '*' ? 'all' : `\`${name}\``)).join(', ');
    return `| ${row.title} | **${resultOf(row, tallies)}** | ${row.client} | ${tests} |`;
  });
  return ['| scenario | result | what the client sees | tests |', '|---|---|---|---|', ...lines].join('\n');
}

function resultOf({ scenarios, result }: Row, tallies: ReadonlyMap<string, Tally>): Result {
  const cases = [...tallies].filter(([name]) => scenarios.includes('*') || scenarios.includes(name));
  const count = (field: keyof Tally) => cases.reduce((total, [, tally]) => total + tally[field], 0);
  if (count('failed') === 0) return result;
  return count('failed') < count('played') ? 'partial' : 'fail';
}

/** The same table with every result that is no success taken for one: what the few cases of `npm test` can know. */
export function asIfGood(table: string): string {
  const good = new Map(ROWS.map(({ title, result }) => [title, result]));
  return table.replace(
    /^\| (.+?) \| \*\*(?:partial|fail)\*\*/gm,
    (_, title: string) => `| ${title} | **${good.get(title)}**`,
  );
}

/** The table that the document has. */
export function documentedTable(): string {
  const text = readFileSync(FILE, 'utf8');
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim();
}

export function documentTable(table: string): void {
  const text = readFileSync(FILE, 'utf8');
  const [head, tail] = [text.slice(0, text.indexOf(BEGIN) + BEGIN.length), text.slice(text.indexOf(END))];
  writeFileSync(FILE, `${head}\n\n${table}\n\n${tail}`);
}
