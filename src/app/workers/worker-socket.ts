import { rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { serialize } from 'node:v8';
import type { FinalEntry } from '../../accounting/ledger/entry.js';
import type { LimitRow } from '../../policy/limits/limiter.js';
import type { Pulse } from './pulse.js';

/** What the other workers of a gateway may ask. */
export interface WorkerAnswers {
  metrics(): Promise<string>;
  /** Alerts are handed out once. */
  pulse(): Promise<Pulse>;
  limits(): Promise<readonly LimitRow[]>;
  /** Calls back for each finished request until the returned function is called. */
  subscribe(listener: (entry: FinalEntry) => void): () => void;
}

export type WorkerQuestion = Exclude<keyof WorkerAnswers, 'subscribe'>;

export interface WorkerSocket {
  close(): Promise<void>;
}

const QUESTIONS: Readonly<Record<WorkerQuestion, true>> = { metrics: true, pulse: true, limits: true };
/** Lines of finished requests. */
export const EVENTS_PATH = '/events';
/** A reader that is this far behind is cut off. Bytes. */
const MOST_UNREAD = 1024 * 1024;

/**
 * Answers the other workers on a Unix socket, HTTP with values as `node:v8` writes them (they hold big integers), finished
 * requests as JSON lines. Rejects when the path cannot be bound.
 */
export async function openWorkerSocket(path: string, answers: WorkerAnswers): Promise<WorkerSocket> {
  // Of a killed process that had the same number under another supervisor.
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    const question = request.url?.slice(1) ?? '';
    if (request.url === EVENTS_PATH) stream(response, answers);
    else if (isQuestion(question)) void reply(response, () => answers[question]());
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isQuestion(word: string): word is WorkerQuestion {
  return Object.hasOwn(QUESTIONS, word);
}

async function reply(response: ServerResponse, answer: () => Promise<unknown>): Promise<void> {
  try {
    response.end(serialize(await answer()));
  } catch {
    response.writeHead(500).end();
  }
}

function stream(response: ServerResponse, answers: WorkerAnswers): void {
  response.writeHead(200).flushHeaders();
  const stop = answers.subscribe((entry) => {
    if (response.writableLength > MOST_UNREAD) response.destroy();
    else response.write(`${JSON.stringify(entry)}\n`);
  });
  response.once('close', stop);
}
