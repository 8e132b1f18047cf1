// `npm run setup`: everything that the project needs, tests included, and nothing if it is all there.
import { build } from './build.mjs';
import { installDependencies, projectNode } from './dependencies.mjs';
import { ensureEnvoy } from './envoy.mjs';
import { isProgram, program } from './project.mjs';
import { ensureTestServers } from './test-servers.mjs';

/** Installs what is missing and builds, with `tests` also those. Returns the path of the Node to run with. */
export async function setUp({ tests = false } = {}) {
  // The two downloads do not need each other.
  await Promise.allSettled([installDependencies(), ensureEnvoy()]).then(firstProblem);
  if (tests) await ensureTestServers();
  const node = await projectNode();
  await build(node, { tests });
  return node;
}

// Both have come to their end before the first problem is reported, so that no download is left running.
function firstProblem(results) {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

if (isProgram(import.meta.url)) {
  program(async () => {
    await setUp({ tests: true });
    return 0;
  });
}
