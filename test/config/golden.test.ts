import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { effectiveConfig } from '../../src/config/effective.js';
import { loadConfig } from '../../src/config/load.js';
import { formatProblem } from '../../src/config/problem.js';
import { surroundings } from './surroundings.js';

const SEPARATOR = '=====\n';

function goldenDirectory(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return join(directory, 'test/golden/config');
}

function outcome(text: string): string {
  const result = loadConfig({ path: '/etc/tollgate/tollgate.yaml', text }, surroundings());
  const lines = (problems: readonly { file: string }[]) =>
    problems.map((problem) => ({ ...problem, file: 'tollgate.yaml' }));
  if ('problems' in result)
    return `${lines(result.problems)
      .map((problem) => formatProblem(problem as never))
      .join('\n')}\n`;
  const warnings = lines(result.warnings).map((problem) => `# warning: ${formatProblem(problem as never)}\n`);
  return `${warnings.join('')}${stringify(effectiveConfig(result.snapshot))}`;
}

for (const name of readdirSync(goldenDirectory()).filter((file) => file.endsWith('.golden'))) {
  t.test(name, async (t) => {
    const file = join(goldenDirectory(), name);
    const [input = '', expected = ''] = readFileSync(file, 'utf8').split(SEPARATOR);
    const actual = outcome(input);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, `${input}${SEPARATOR}${actual}`);
    else t.equal(actual, expected);
    t.notMatch(actual, /canary/, 'no secret in it');
  });
}
