// `npm run tollgate -- COMMAND`: sets up, then runs any command of the compiled command line.
import { become, isProgram, mainFile, program } from './project.mjs';
import { setUp } from './setup.mjs';

/** Runs `tollgate ...args` in our place; resolves to its exit code. */
export async function tollgate(args) {
  const node = await setUp();
  return become(node, [mainFile, ...args], { cwd: callersDirectory(process.env) });
}

/**
 * npm changes to the project before it runs a script. `--config FILE` and the program of `run -- CMD` are meant from
 * where the user is. A nested call inherits npm's variables, so they count only for the two scripts concerned.
 */
export function callersDirectory(env) {
  const direct = env.npm_lifecycle_event === 'start' || env.npm_lifecycle_event === 'tollgate';
  return direct && env.INIT_CWD ? env.INIT_CWD : process.cwd();
}

if (isProgram(import.meta.url)) program(() => tollgate(process.argv.slice(2)));
