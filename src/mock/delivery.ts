import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { createGzip, gzipSync, constants as zlib } from 'node:zlib';
import type { MockAnswer } from './answer.js';
import { drained } from './drained.js';
import type { Behaviour } from './models.js';

/** After how many events the breaking models break, unless the dialect says otherwise. */
const BROKEN_AFTER = 3;
const SSE = 'text/event-stream; charset=utf-8';
/** Events written in one turn of the event loop, so that a long stream never holds up other requests. */
const EVENTS_PER_TURN = 64;

/** Sends an answer the way the model behaves. Resolves when it is done or the client has left; never rejects. */
export async function deliver(response: ServerResponse, answer: MockAnswer, behaviour: Behaviour): Promise<void> {
  try {
    if (behaviour.fault === 'refuse') response.socket?.destroy();
    else if (behaviour.fault === 'empty') sendEmpty(response, answer);
    else if (answer.kind === 'whole') await sendWhole(response, answer, behaviour);
    else await sendStream(response, answer, behaviour);
  } catch {
    // The client has left, or its socket broke: there is nobody to tell.
    response.destroy();
  }
}

function sendEmpty(response: ServerResponse, answer: MockAnswer): void {
  const type = answer.kind === 'stream' ? (answer.contentType ?? 'text/event-stream') : 'application/json';
  response.writeHead(200, { 'content-type': type });
  response.end();
}

async function sendWhole(
  response: ServerResponse,
  answer: MockAnswer & { kind: 'whole' },
  behaviour: Behaviour,
): Promise<void> {
  if (behaviour.pace !== null && !(await pause(response, behaviour.pace.firstMs))) return;
  if (behaviour.fault === 'stall') return;
  const body = behaviour.gzip ? gzipSync(answer.body) : answer.body;
  const encoding = behaviour.gzip ? { 'content-encoding': 'gzip' } : {};
  response.writeHead(answer.status, { ...answer.headers, ...encoding, 'content-length': body.length });
  if (behaviour.fault === 'cut' || behaviour.fault === 'cut-clean') {
    // A whole answer has one way to be cut: fewer bytes than its content-length says.
    response.write(body.subarray(0, body.length >> 1), () => reset(response));
    return;
  }
  response.end(body);
}

async function sendStream(
  response: ServerResponse,
  answer: MockAnswer & { kind: 'stream' },
  behaviour: Behaviour,
): Promise<void> {
  const pace = behaviour.pace;
  if (pace !== null && !(await pause(response, pace.firstMs))) return;
  const writer = writerFor(response, { gzip: behaviour.gzip, type: answer.contentType ?? SSE });
  const brokenAfter = behaviour.fault === 'none' ? Number.POSITIVE_INFINITY : (answer.brokenAfter ?? BROKEN_AFTER);
  let sent = 0;
  for (const event of answer.events) {
    if (response.destroyed) return;
    if (sent === brokenAfter) return breakOff(response, writer, { behaviour, answer });
    if (pace !== null && sent > 1 && !(await pause(response, pace.gapMs))) return;
    await writer.write(event);
    sent += 1;
    if (sent % EVENTS_PER_TURN === 0) await nextTurn();
  }
  writer.end();
}

function breakOff(
  response: ServerResponse,
  writer: EventWriter,
  how: { behaviour: Behaviour; answer: MockAnswer & { kind: 'stream' } },
): void {
  const { fault } = how.behaviour;
  if (fault === 'cut') reset(response);
  if (fault === 'cut-clean') writer.end();
  if (fault === 'error-event') void writer.write(how.answer.errorEvent).then(() => writer.end());
  // `stall` does nothing: the stream stays open until the client leaves.
}

interface EventWriter {
  write(event: string | Buffer): Promise<void>;
  end(): void;
}

function writerFor(response: ServerResponse, { gzip, type }: { gzip: boolean; type: string }): EventWriter {
  const encoding = gzip ? { 'content-encoding': 'gzip' } : {};
  response.writeHead(200, {
    'content-type': type,
    'cache-control': 'no-cache',
    ...encoding,
  });
  response.flushHeaders();
  if (!gzip) {
    return { write: (event) => send(response, event), end: () => void response.end() };
  }
  const compressed = createGzip({ flush: zlib.Z_SYNC_FLUSH });
  compressed.pipe(response);
  response.once('close', () => compressed.destroy());
  return { write: (event) => send(compressed, event), end: () => void compressed.end() };
}

function send(stream: Writable, event: string | Buffer): Promise<void> {
  stream.write(event);
  return drained(stream);
}

/** Waits; false when the client left meanwhile. */
async function pause(response: ServerResponse, ms: number): Promise<boolean> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.once('close', leave);
  try {
    if (response.destroyed) return false;
    await wait(ms, undefined, { signal: gone.signal, ref: false });
    return true;
  } catch {
    return false;
  } finally {
    response.off('close', leave);
  }
}

/** Ends the connection with RST, after what was written has left. */
function reset(response: ServerResponse): void {
  const socket = response.socket;
  if (socket === null) return;
  // Two turns: the first hands the last write to the kernel, RST in the same turn would discard it.
  setImmediate(() => setImmediate(() => socket.resetAndDestroy()));
}
