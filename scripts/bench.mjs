// `npm run bench [-- ARGUMENTS]`: sets up, then runs bench/main.ts.
import { join } from 'node:path';
import { become, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

// Without us nobody reads what it finds; without npm nobody would end us.
const parents = [process.pid, ...(process.env.npm_lifecycle_event === undefined ? [] : [process.ppid])];
const env = { ...process.env, TOLLGATE_BENCH_PARENTS: parents.join(',') };

program(async () =>
  become(await setUp(), [join(root, 'dist/bench/main.js'), ...process.argv.slice(2)], { cwd: root, env }),
);
