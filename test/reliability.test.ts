import { existsSync, globSync, readFileSync } from 'node:fs';
import t from 'tap';

/** docs/reliability.md has exactly these. */
const CASES = [...range(1, 17), 23, ...range(45, 70), 104, ...range(110, 113)];
/** For want of what they are about. */
const NOT_YET = [15];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

interface Row {
  readonly number: number;
  readonly result: string;
  readonly files: readonly string[];
}

const rows: readonly Row[] = readFileSync('docs/reliability.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => {
    const [number = '', , result = '', tests = ''] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return { number: Number(number), result, files: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file) };
  });

/** Numbers in the names of tests: quote, `case`, one or several, colon. */
function casesIn(file: string): ReadonlySet<number> {
  const names = readFileSync(file, 'utf8').matchAll(/['`]case (\d+(?:, \d+)*): /g);
  return new Set([...names].flatMap(([, numbers = '']) => numbers.split(', ').map(Number)));
}

t.test('the table of promises has every case once', async (t) => {
  t.same(
    rows.map(({ number }) => number),
    CASES,
  );
  const without = rows.filter(({ files }) => files.length === 0);
  t.same(
    without.map(({ number }) => number),
    NOT_YET,
  );
  for (const { number, result } of without) t.match(result, /^not yet: comes with /, `case ${number} says when`);
});

t.test('what it calls tested is tested there', async (t) => {
  for (const { number, files } of rows)
    for (const file of files) t.ok(existsSync(file) && casesIn(file).has(number), `case ${number} in ${file}`);
});

t.test('what is tested is in it', async (t) => {
  const listed = new Set(rows.flatMap(({ number, files }) => files.map((file) => `${number} ${file}`)));
  const found = globSync('test/**/*.ts').flatMap((file) => [...casesIn(file)].map((number) => `${number} ${file}`));
  t.ok(found.length > CASES.length);
  t.same(
    found.filter((each) => !listed.has(each)),
    [],
  );
});
