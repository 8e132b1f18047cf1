import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface ServerCommand {
  readonly binary: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** The line of its output that says that it answers. */
  readonly ready: RegExp;
  /** Ends it at once, with its children. */
  readonly deadly: 'SIGKILL' | 'SIGQUIT';
  /** Runs it as another user. */
  readonly uid?: number;
}

export interface ServerProcess {
  readonly pid: number;
  /** Resolves when it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** The server did not come up; the message is what it printed. */
export class ServerFailed extends Error {}

/** Starts a server in the foreground and waits until it says that it is ready. It dies with this process. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { binary, args, directory, uid } = command;
  const child = spawn(binary, args, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const exited = once(child, 'close');
  const pid = await readyPid(child, command.ready);
  const watcher = watch(pid, command);
  return {
    pid,
    kill: async (signal) => {
      child.kill(signal);
      child.kill('SIGCONT');
      await exited;
      watcher.kill('SIGKILL');
    },
  };
}

function readyPid(child: ChildProcess, ready: RegExp): Promise<number> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      // Read to the end: a full pipe would stop the server.
      createInterface({ input: stream }).on('line', (line) => {
        if (lines.length < 100) lines.push(line);
        if (ready.test(line) && child.pid !== undefined) resolve(child.pid);
      });
    }
    child.once('error', reject);
    child.once('close', () => reject(new ServerFailed(lines.join('\n'))));
  });
}

/** A test that is killed cannot clean up: its end is the end of this shell's input. */
function watch(pid: number, { deadly, directory }: ServerCommand): ChildProcess {
  const script = `read -r _; kill -${deadly.slice(3)} ${pid}; kill -CONT ${pid}; rm -rf "$0"`;
  const watcher = spawn('sh', ['-c', script, directory], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.unref();
  // A socket in Node: it would keep the test alive.
  if (watcher.stdin !== null && 'unref' in watcher.stdin && typeof watcher.stdin.unref === 'function')
    watcher.stdin.unref();
  return watcher;
}
