import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandRun {
  /** File below `src/cli`, and the function there that makes the command. */
  readonly module: string;
  readonly make: string;
  readonly words: readonly string[];
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one command in a process of its own, as `main.ts` would: an error is printed and ends it with code 1. */
export async function runCommand(run: CommandRun): Promise<Ended> {
  const url = new URL(`../../src/cli/${run.module}.js`, import.meta.url).href;
  const program = `const { ${run.make}: make } = await import(${JSON.stringify(url)});
    await make().parseAsync(${JSON.stringify(run.words)}, { from: 'user' }).catch((error) => {
      process.stderr.write(error.message + '\\n');
      process.exitCode = 1;
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: run.directory,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...run.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** A directory with these files, removed after the test. */
export function directoryWith(t: Test, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'tollgate-cli-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}
