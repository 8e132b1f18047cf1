import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { keep } from '../children.js';

export interface Program {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Of its own: it runs there, and its output goes to `log` there. */
  readonly directory: string;
  /** Answers 200 when it is ready. */
  readonly ready: string;
}

const PATIENCE_MS = 120_000;

/**
 * Starts a program and waits until it answers.
 * @throws Error with the end of its output if it ends or does not answer in two minutes
 */
export async function startProgram(program: Program): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const log = join(program.directory, 'log');
  const output = openSync(log, 'a');
  const child = spawn(program.command, program.args, {
    cwd: program.directory,
    env: { ...process.env, ...program.environment },
    stdio: ['ignore', output, output],
  });
  if (child.pid !== undefined) keep({ pid: child.pid });
  const exited = once(child, 'exit');
  let ended = false;
  exited.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  const until = Date.now() + PATIENCE_MS;
  while (!(await answers(program.ready))) {
    if (ended || Date.now() > until) {
      child.kill('SIGKILL');
      const end = readFileSync(log, 'utf8').trim().split('\n').slice(-10).join('\n');
      throw new Error(`${program.title} did not start:\n${end}`);
    }
    await wait(100);
  }
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(late);
    },
  };
}

/** A port that nobody listens on: the peers cannot be told to choose one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
