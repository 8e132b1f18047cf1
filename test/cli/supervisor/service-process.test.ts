import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SupervisorEvent } from '../../../src/cli/supervisor/events.js';
import { startServiceProcess } from '../../../src/cli/supervisor/service-process.js';
import { linkSocket } from '../../../src/cli/supervisor/socket-link.js';
import { type Supervisor, supervise } from '../../../src/cli/supervisor/supervise.js';
import { temporaryDirectory } from '../temporary-directory.js';

/** Behaves like `serve`: one socket a generation, ready by IPC, ends on SIGTERM; what it does is set by files. */
const STUB = `
import { existsSync, appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
const directory = dirname(fileURLToPath(import.meta.url));
const generation = process.argv[process.argv.indexOf('--generation') + 1];
appendFileSync(join(directory, 'starts'), process.argv.slice(2).join(' ') + '\\n');
if (existsSync(join(directory, 'broken'))) process.exit(3);
const socket = join(directory, 'extproc-' + generation + '.sock');
const server = createServer().listen(socket, () => {
  process.send({ type: 'nonsense' });
  process.send({ type: 'ready', admin: { host: '127.0.0.1', port: 8090 }, socket });
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

/** Tells when the supervisor has done something. */
class Journal {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];

  write(line: string): void {
    this.lines.push(line);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async until(text: string): Promise<void> {
    while (!this.lines.some((line) => line.includes(text))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

const ONLY = { generation: 1, worker: 0, workers: 1 };

t.test('real children behind a real link', async (t) => {
  const directory = temporaryDirectory(t, { 'stub.mjs': STUB });
  const journal = new Journal();
  const pids = new Map<number, number>();
  const command = {
    main: join(directory, 'stub.mjs'),
    args: ['--listen', 'x'],
    env: process.env,
    output: 'inherit' as const,
  };
  let report: (event: SupervisorEvent) => void = () => undefined;
  const supervisor: Supervisor = supervise({
    spawnService: ({ generation, worker }, toSupervisor) => {
      const child = startServiceProcess(command, { generation, worker, workers: 1 }, (event) => {
        toSupervisor(event);
        journal.write(`${event.type} ${generation}`);
      });
      if (child.pid !== undefined) pids.set(generation, child.pid);
      return child;
    },
    spawnEnvoy: (toSupervisor) => {
      report = toSupervisor;
      return {
        pid: 1,
        signal: () => toSupervisor({ type: 'envoy_exited', reason: 'test' }),
        drain: async () => undefined,
      };
    },
    link: (socket) => {
      linkSocket(socket);
      journal.write(`link ${socket.slice(directory.length + 1)}`);
    },
    writePid: () => undefined,
    announce: () => journal.write('announce'),
    log: (text) => journal.write(text),
    now: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
  report({ type: 'envoy_ready' });
  await journal.until('announce');
  t.equal(readFileSync(join(directory, 'starts'), 'utf8'), 'serve --generation 1 --listen x\n');

  process.kill(pids.get(1) ?? 0, 'SIGKILL');
  await journal.until('link extproc-2.sock');
  t.ok(journal.lines.some((line) => line.includes('the service ended (SIGKILL); starting it again in 100 ms')));

  supervisor.dispatch({ type: 'reload' });
  await journal.until('service_exited 2');
  t.ok(journal.lines.indexOf('link extproc-3.sock') < journal.lines.indexOf('service_exited 2'));

  const { rename, writeFile } = await import('node:fs/promises');
  await writeFile(join(directory, 'broken'), '');
  supervisor.dispatch({ type: 'reload' });
  await journal.until('generation 4 did not start (exit code 3); generation 3 goes on');
  await rename(join(directory, 'broken'), join(directory, 'mended'));

  supervisor.dispatch({ type: 'stop' });
  t.equal(await supervisor.ended, 0);
  t.ok(journal.lines.includes('service_exited 3'));
});

t.test('a service that cannot be started at all', async (t) => {
  const directory = temporaryDirectory(t);
  const ended = await new Promise((resolve) => {
    startServiceProcess({ main: join(directory, 'no.js'), args: [], env: {}, output: 'inherit' }, ONLY, resolve);
  });
  t.match(ended, { type: 'service_exited', generation: 1, reason: 'exit code 1' });
});

t.test('memory of the service is bounded unless somebody has set it', async (t) => {
  const main = `import { writeFileSync } from 'node:fs';
    writeFileSync(process.argv.at(-1), JSON.stringify([process.execArgv, process.env.MALLOC_ARENA_MAX]));`;
  const directory = temporaryDirectory(t, { 'main.mjs': main });
  const seen = async (env: Readonly<Record<string, string>>): Promise<unknown> => {
    const file = join(directory, 'seen');
    const command = { main: join(directory, 'main.mjs'), args: [file], env, output: 'inherit' as const };
    await new Promise((resolve) => startServiceProcess(command, ONLY, resolve));
    return JSON.parse(readFileSync(file, 'utf8'));
  };
  t.same(await seen({}), [['--max-semi-space-size=16'], '1']);
  t.same(await seen({ NODE_OPTIONS: '--max-semi-space-size=64', MALLOC_ARENA_MAX: '4' }), [[], '4']);
});
