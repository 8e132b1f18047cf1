import { readFileSync } from 'node:fs';
import t from 'tap';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';

t.test('docs/providers.md says what the code does', async (t) => {
  const rows = readFileSync('docs/providers.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  t.same(
    rows.map(([, kind = '']) => /`([^`]+)`/.exec(kind)?.[1]),
    [...PROVIDER_KINDS.keys()],
  );
  for (const [at, kind] of [...PROVIDER_KINDS.values()].entries()) {
    const [, , baseUrl = '', found = '', , , price] = rows[at] ?? [];
    if (kind.baseUrl !== null) t.equal(baseUrl, `\`${kind.baseUrl}\``);
    t.same(
      [...found.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
      kind.baseUrl === null ? [] : kind.environment,
      kind.kind,
    );
    t.equal(price, kind.priceId ?? '–', kind.kind);
  }
});
