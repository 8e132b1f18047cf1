// npm packages, and the Node that comes with them.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture, progress, root, SetupProblem } from './project.mjs';

const oldestNode = [22, 13];

/** Installs exactly the lock file's packages, unless they are there. Install scripts never run. */
export async function installDependencies() {
  if (dependenciesAreCurrent(root)) return;
  const npm = npmCommand();
  progress('installing dependencies (npm ci)');
  const args = [...npm.args, 'ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];
  const { code, output } = await capture(npm.command, args, { env: withoutLocalPrograms(process.env) });
  if (code !== 0) throw new SetupProblem(`npm ci failed:\n${output.trim()}`);
}

/**
 * True if every package of the lock file is installed in its exact version. Optional packages of other platforms are
 * allowed to be absent. Compared by content, because a checkout gives files new dates.
 */
export function dependenciesAreCurrent(directory) {
  const installed = join(directory, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = readPackages(join(directory, 'package-lock.json'));
  const present = readPackages(installed);
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    return present[path] === undefined ? entry.optional === true : present[path].version === entry.version;
  });
}

/**
 * The Node to run the project with: the pinned one among the packages, else the system's.
 * Throws a SetupProblem if that one is too old.
 */
export async function projectNode() {
  const bundled = join(root, 'node_modules/.bin/node');
  if (existsSync(bundled) && (await capture(bundled, ['--version'])).code === 0) return bundled;
  if (isRecentEnough(process.versions.node)) return process.execPath;
  throw new SetupProblem(
    `Node ${oldestNode.join('.')} or newer is needed and this one is ${process.versions.node}.\n` +
      `The project's own Node (Linux with glibc, x64 and arm64) does not run here (${process.platform}-${process.arch}):\n` +
      'install Node 24 and run the command again.',
  );
}

/** `version` is like `22.13.0`. */
export function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

// Under `npm start` the variable names npm's own file; otherwise npm is looked up on PATH.
function npmCommand() {
  const file = process.env.npm_execpath;
  if (file?.endsWith('.js') && existsSync(file)) return { command: process.execPath, args: [file] };
  return { command: 'npm', args: [] };
}

// npm must not run on a Node that it is about to replace.
function withoutLocalPrograms(env) {
  const local = join(root, 'node_modules/.bin');
  const path = (env.PATH ?? '').split(delimiter).filter((entry) => entry !== local);
  return { ...env, PATH: path.join(delimiter) };
}
