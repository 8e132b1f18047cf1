// What every script needs: where the project is, how to say what happens, and how to run a program.
// The scripts run before anything is installed, so they use Node 20 and nothing else.
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The compiled command line. */
export const mainFile = join(root, 'dist/src/main.js');

/** A problem that the user can solve: printed without a stack, exit code 1. */
export class SetupProblem extends Error {}

/** Says what takes time. On stderr, so that `tollgate usage --format json` stays clean. */
export function progress(text) {
  process.stderr.write(`tollgate: ${text}\n`);
}

/** True if the module with this `import.meta.url` is the program itself, not an import. */
export function isProgram(moduleUrl) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(moduleUrl));
}

/** Runs a script's main function; a SetupProblem becomes its message and exit code 1. */
export async function program(main) {
  try {
    process.exitCode = await main();
  } catch (problem) {
    if (!(problem instanceof SetupProblem)) throw problem;
    process.stderr.write(`tollgate: ${problem.message}\n`);
    process.exitCode = 1;
  }
}

/**
 * Runs a program and collects what it prints. Never rejects: `code` is null if it could not be started or was killed,
 * and then `output` says why.
 */
export function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (problem) => resolve({ code: null, output: problem.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

/**
 * Runs a program in our place: same terminal, signals passed on, its exit code ours (128 + number after a signal).
 * Ctrl-C reaches the whole process group by itself, so it is passed on only where there is no terminal.
 */
export function become(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' });
    const forward = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
    for (const signal of signals) process.on(signal, forward);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
