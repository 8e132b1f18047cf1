import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { deserialize } from 'node:v8';
import type { FinalEntry } from '../../accounting/ledger/entry.js';
import { EVENTS_PATH, type WorkerAnswers, type WorkerQuestion } from './worker-socket.js';

type Answer<Q extends WorkerQuestion> = Awaited<ReturnType<WorkerAnswers[Q]>>;

/** Asks another worker of this gateway. Rejects when nobody is there, or the answer is not there within `patienceMs`. */
export async function askWorker<Q extends WorkerQuestion>(
  socket: string,
  question: Q,
  patienceMs: number,
): Promise<Answer<Q>> {
  const signal = AbortSignal.timeout(patienceMs);
  const response = await get(socket, `/${question}`, signal);
  const body = await buffer(response);
  if (response.statusCode !== 200) throw new Error(`worker at ${socket}: ${response.statusCode}`);
  // Only a process of this gateway can write there: the socket is its owner's alone.
  return deserialize(body) as Answer<Q>;
}

/** Every request that the worker finishes from now on; ends with the worker or when the returned function is called. */
export function followWorker(socket: string, listener: (entry: FinalEntry) => void): () => void {
  const stopped = new AbortController();
  const follow = async (): Promise<void> => {
    const response = await get(socket, EVENTS_PATH, stopped.signal);
    for await (const line of createInterface({ input: response })) listener(JSON.parse(line) as FinalEntry);
  };
  follow().catch(() => undefined);
  return () => stopped.abort();
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, signal, agent: false }, resolve).on('error', reject).end();
  });
}
