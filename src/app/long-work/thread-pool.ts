import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../dialects/error.js';
import type { LongJob, LongJobs, LongWork } from '../../gateway/long-work/long-work.js';
import { type FromWorker, transfersIn } from './work-messages.js';

/**
 * Below Envoy's patience for one message (5 s), which begins before ours: the client gets our error, not its. Up to then a
 * client rather waits in line than tries again.
 */
const PATIENCE_MS = 4_500;
/** Bytes that may wait for a thread; one body always may. Some seconds of work. */
const WAITING_BYTES = 256 * 1024 * 1024;
/** What breaks this ends its thread, not the process. */
const LIMITS = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 48 };

export interface ThreadPoolOptions {
  /** At most so many, at least one. Each is started when it is needed. */
  readonly threads: number;
  /** For operators. */
  readonly onProblem: (message: string) => void;
  readonly patienceMs?: number;
  readonly waitingBytes?: number;
  /** The program of a thread; tests have their own. */
  readonly program?: URL;
}

/**
 * Work in threads of its own: as many pieces at once as there are threads, the others wait in their order. A thread takes 25 MB,
 * which a gateway without long requests need not have, and a tenth of a second to come up, which the first long request pays.
 */
export function createThreadPool(options: ThreadPoolOptions): LongWork & { readonly waitingBytes: () => number } {
  return new ThreadPool(options);
}

interface Task {
  readonly number: number;
  readonly job: LongJob;
  readonly input: LongJobs[LongJob]['input'];
  readonly bytes: number;
  readonly done: (output: LongJobs[LongJob]['output'] | GatewayError) => void;
  timer: NodeJS.Timeout | null;
}

interface Thread {
  readonly worker: Worker;
  task: Task | null;
}

class ThreadPool implements LongWork {
  readonly #options: ThreadPoolOptions;
  readonly #most: number;
  readonly #threads = new Set<Thread>();
  readonly #queue: Task[] = [];
  #queuedBytes = 0;
  #number = 0;
  #closed = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#most = Math.max(1, options.threads);
  }

  readonly waitingBytes = (): number => this.#queuedBytes;

  run<Job extends LongJob>(
    job: Job,
    input: LongJobs[Job]['input'],
    done: (output: LongJobs[Job]['output'] | GatewayError) => void,
  ): void {
    const bytes = input.body.byteLength;
    const most = this.#options.waitingBytes ?? WAITING_BYTES;
    // An answer is paid for already: it is never refused for load.
    const tooMuch = job !== 'read' && this.#queue.length > 0 && this.#queuedBytes + bytes > most;
    if (this.#closed || tooMuch) {
      done(overloaded());
      return;
    }
    // Jobs and their outputs belong together: each task's answer is made from its own input.
    const told = done as Task['done'];
    const task: Task = { number: this.#number++, job, input, bytes, done: told, timer: null };
    task.timer = setTimeout(() => this.#tooLate(task), this.#options.patienceMs ?? PATIENCE_MS);
    this.#enqueue(task);
    this.#queuedBytes += bytes;
    this.#next();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#queue.splice(0)) finish(task, overloaded());
    this.#queuedBytes = 0;
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  /** Answers go before requests, each of them in its order. */
  #enqueue(task: Task): void {
    const at = task.job === 'read' ? this.#queue.findIndex(({ job }) => job !== 'read') : -1;
    if (at < 0) this.#queue.push(task);
    else this.#queue.splice(at, 0, task);
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle();
      const task = thread && this.#queue.shift();
      if (!thread || !task) return;
      this.#queuedBytes -= task.bytes;
      thread.task = task;
      const { number, job, input } = task;
      thread.worker.postMessage({ number, job, input }, transfersIn(input));
    }
  }

  #idle(): Thread | null {
    for (const thread of this.#threads) if (thread.task === null) return thread;
    return this.#threads.size < this.#most ? this.#start() : null;
  }

  #start(): Thread {
    const program = this.#options.program ?? new URL('./work-thread.js', import.meta.url);
    const worker = new Worker(program, { name: 'long-work', resourceLimits: LIMITS });
    const thread: Thread = { worker, task: null };
    this.#threads.add(thread);
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#hear(thread, message));
    worker.on('error', (error) => this.#options.onProblem(`a thread for long work failed: ${error.message}`));
    worker.on('exit', () => this.#ended(thread));
    return thread;
  }

  #hear(thread: Thread, message: FromWorker): void {
    const { task } = thread;
    if (task?.number !== message.number) return;
    thread.task = null;
    if ('failure' in message) this.#options.onProblem(`long work failed: ${message.failure}`);
    finish(task, 'output' in message ? message.output : unavailable());
    this.#next();
  }

  /** Its task alone is lost. The next one that waits starts another thread. */
  #ended(thread: Thread): void {
    this.#threads.delete(thread);
    if (thread.task) {
      this.#options.onProblem('a thread for long work ended in the middle of it');
      finish(thread.task, unavailable());
    }
    thread.task = null;
    if (!this.#closed) this.#next();
  }

  #tooLate(task: Task): void {
    const at = this.#queue.indexOf(task);
    if (at >= 0) {
      this.#queue.splice(at, 1);
      this.#queuedBytes -= task.bytes;
      finish(task, overloaded());
      return;
    }
    const thread = [...this.#threads].find((each) => each.task === task);
    if (!thread) return;
    this.#options.onProblem('long work took too long: its thread is ended');
    void thread.worker.terminate();
  }
}

function finish(task: Task, output: LongJobs[LongJob]['output'] | GatewayError): void {
  if (task.timer) clearTimeout(task.timer);
  task.timer = null;
  task.done(output);
}

function overloaded(): GatewayError {
  const message = 'Too many large requests wait for the gateway. Try again soon.';
  return new GatewayError('gateway_unavailable', message, { headers: { 'retry-after': '1' } });
}

function unavailable(): GatewayError {
  return new GatewayError('gateway_unavailable', 'The gateway could not handle this request.');
}
