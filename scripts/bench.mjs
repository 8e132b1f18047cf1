// `npm run bench [-- ARGUMENTS]`: sets up, then runs bench/main.ts.
import { join } from 'node:path';
import { become, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

program(async () => become(await setUp(), [join(root, 'dist/bench/main.js'), ...process.argv.slice(2)], { cwd: root }));
