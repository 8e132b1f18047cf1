import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Address } from '../config/snapshot.js';
import { errorAnswer } from './answer.js';
import { type Capture, captureOf } from './capture.js';
import { CUTTINGS, type Cutting, pieced } from './cutting.js';
import { deliver } from './delivery.js';
import { drained } from './drained.js';
import { listen, shut } from './listen.js';
import { type Behaviour, behaviourOf } from './models.js';
import { readBody } from './read-body.js';
import { type Recording, recordedBytes } from './recording.js';

export interface ReplayOptions {
  readonly host: string;
  readonly port: number;
}

export interface Replay {
  readonly address: Address;
  /** All requests received, oldest first. */
  readonly captures: readonly Capture[];
  close(): Promise<void>;
}

const BODY_LIMIT = 128 * 1024 * 1024;

/**
 * Serves recordings of every dialect. Which one is said by the header `x-replay`, by the model of the request, or by a part of
 * the path: `<id>` or `<id>@<cutting>` with a cutting of `CUTTINGS`. Unknown ids are 404. Rejects when it cannot listen.
 */
export async function startReplay(recordings: readonly Recording[], options: ReplayOptions): Promise<Replay> {
  const byId = new Map(recordings.map((recording) => [recording.id, recording]));
  const captures: Capture[] = [];
  const server = createServer((request, response) => {
    response.on('error', () => response.destroy());
    void answer(request, response, { byId, captures }).catch(() => response.destroy());
  });
  const address = await listen(server, options);
  return { address, captures, close: () => shut(server) };
}

interface Shelf {
  readonly byId: ReadonlyMap<string, Recording>;
  readonly captures: Capture[];
}

async function answer(request: IncomingMessage, response: ServerResponse, shelf: Shelf): Promise<void> {
  const body = await readBody(request, BODY_LIMIT);
  if (body === null) return;
  const capture = captureOf(request, body);
  shelf.captures.push(capture);
  for (const name of [capture.headers['x-replay'], capture.model, ...partsOf(capture.path)]) {
    const [id, cutting = 'whole'] = (name ?? '').split('@');
    const recording = shelf.byId.get(id ?? '');
    if (recording !== undefined) return send(response, recording, cuttingOf(cutting));
  }
  const unknown = {
    status: 404,
    message: 'No such recording.',
    type: 'invalid_request_error',
    code: 'model_not_found',
  };
  return deliver(response, errorAnswer(unknown), behaviourOf('chat') as Behaviour);
}

/** Parts of a path, last first: some dialects put the model there, before a verb (`…/models/<id>:generateContent`). */
function partsOf(path: string): readonly string[] {
  const parts = (path.split('?')[0] ?? '').split('/').reverse();
  return parts.map((part) => {
    try {
      return decodeURIComponent(part).replace(/:[A-Za-z]+$/, '');
    } catch {
      return part;
    }
  });
}

function cuttingOf(name: string): Cutting {
  return CUTTINGS.find((cutting) => cutting === name) ?? 'whole';
}

async function send(response: ServerResponse, recording: Recording, cutting: Cutting): Promise<void> {
  const bytes = recordedBytes(recording);
  const { status, headers } = recording.response;
  const sized = recording.stream && status === 200 ? {} : { 'content-length': String(bytes.length) };
  response.writeHead(status, { ...headers, ...sized });
  response.flushHeaders();
  for (const piece of pieced(bytes, cutting)) {
    if (response.destroyed) return;
    // A full buffer is waited for: otherwise the pieces would leave together when it empties.
    response.write(piece.bytes);
    await drained(response);
    if (piece.alone) await nextTurn();
  }
  response.end();
}
