// `npm run dialects`: sets up, then replays every recording to every client in every cutting; `npm test` takes samples of it.
import { join } from 'node:path';
import { become, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

program(async () => {
  process.env.TOLLGATE_DIALECTS = 'full';
  const node = await setUp({ tests: true });
  const files = ['test/e2e/recordings', 'test/e2e/dialects-'];
  const args = [
    '--no-warnings=ExperimentalWarning',
    join(root, 'scripts/run-tests.mjs'),
    '--timeout',
    '1800',
    ...files,
  ];
  return become(node, args, { cwd: root });
});
