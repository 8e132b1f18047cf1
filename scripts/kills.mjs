// `npm run kills [-- --rounds N --seed N --json FILE]`: sets up, then kills the service N times under load and tells what
// the ledger made of it (docs/accounting.md).
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { become, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

program(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
    },
  });
  process.env.TOLLGATE_KILLS = values.rounds;
  process.env.TOLLGATE_KILLS_SEED = values.seed;
  if (values.json) process.env.TOLLGATE_KILLS_JSON = resolve(values.json);
  process.env.TAP_TIMEOUT = '0';
  const node = await setUp({ tests: true });
  return become(node, [join(root, 'dist/test/faults/kills/kills.test.js')], { cwd: root });
});
