import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isInstalled, LITELLM, markOf, NotInstalled, type Place, PORTKEY, wantedPins } from './places.js';

interface Step {
  readonly command: string;
  readonly args: readonly string[];
  /** What to do if the command cannot be started. */
  readonly missing: string;
}

/** In the words of npm and pip, the end of a registry that does not answer, or not with these packages. */
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|NewConnectionError|Max retries exceeded|Read timed out|No matching distribution|\bE40[134]\b/;

/**
 * Installs the peers, in exactly the versions of `portkey/` and `litellm/`, into the user's cache. What is there already
 * stays as it is.
 * @throws NotInstalled that says which step failed and what to do
 */
export async function installPeers(): Promise<void> {
  await install(PORTKEY, [
    {
      command: 'npm',
      // Scripts of the packages do nothing that is needed here.
      args: ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'],
      missing: 'npm comes with Node.js; it must be on PATH',
    },
  ]);
  const python = process.env['PYTHON'] || 'python3';
  const environment = join(LITELLM.directory, 'venv');
  await install(LITELLM, [
    {
      command: python,
      args: ['-m', 'venv', environment],
      missing: 'Python 3.10 to 3.13 must be on PATH, or in $PYTHON',
    },
    {
      command: join(environment, 'bin/python'),
      args: ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
      missing: 'the environment has no Python',
    },
  ]);
}

async function install(place: Place, steps: readonly Step[]): Promise<void> {
  if (isInstalled(place)) {
    console.log(`${place.title} is in ${place.directory}`);
    return;
  }
  console.log(`installing ${place.title} into ${place.directory}`);
  rmSync(place.directory, { recursive: true, force: true });
  mkdirSync(place.directory, { recursive: true });
  for (const file of place.pins) copyFileSync(file, join(place.directory, basename(file)));
  for (const step of steps) await take(place, step);
  writeFileSync(markOf(place), wantedPins(place));
}

async function take({ title, directory }: Place, { command, args, missing }: Step): Promise<void> {
  const { code, output } = await outcome(command, args, directory);
  if (code === 0) return;
  const what = `${title} could not be installed: ${command} ${args.join(' ')}`;
  if (code === null) throw new NotInstalled(`${what}: ${missing} (${output})`);
  const cause = UNREACHABLE.test(output)
    ? `the package registry cannot be reached or lacks a version; see \`npm config get registry\`, \`pip config list\` and the proxy's variables`
    : `exit code ${code}`;
  throw new NotInstalled(`${what}\n${output.trim().split('\n').slice(-8).join('\n')}\n→ ${cause}`);
}

/** `code` is null if the command could not be started; then `output` says why. */
function outcome(
  command: string,
  args: readonly string[],
  directory: string,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const collect = (piece: Buffer): void => {
      output += piece;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (problem) => resolve({ code: null, output: problem.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
