// `npm test [-- PATH… --jobs N --seed random|N]`: sets up, then runs the tests. The last line is always `N passed, N failed, N skipped`.
import { join } from 'node:path';
import { become, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

program(async () => {
  const runner = join(root, 'scripts/run-tests.mjs');
  try {
    const node = await setUp({ tests: true });
    const args = ['--no-warnings=ExperimentalWarning', runner, ...process.argv.slice(2)];
    return await become(node, args, { cwd: root });
  } catch (problem) {
    process.stderr.write(`tollgate: ${problem.message}\n`);
    process.stdout.write('0 passed, 1 failed, 0 skipped\n');
    return 1;
  }
});
