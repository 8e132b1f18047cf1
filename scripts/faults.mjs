// `npm run faults`: sets up, then plays every fault in every way, and writes the table in docs/failover.md.
import { join } from 'node:path';
import { become, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

program(async () => {
  process.env.TOLLGATE_FAULTS = 'full';
  process.env.TAP_TIMEOUT = '0';
  const node = await setUp({ tests: true });
  return become(node, [join(root, 'dist/test/faults/scenarios/scenarios.test.js')], { cwd: root });
});
