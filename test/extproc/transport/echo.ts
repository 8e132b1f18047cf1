import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type Settings,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ProcessingResponse } from '../../../src/extproc/messages.js';
import type { ProcessCall, StreamHandler } from '../../../src/extproc/process-call.js';
import { toChunkResponse } from '../../../src/extproc/replies.js';
import { type TransportName, transportNamed } from '../../../src/extproc/transport/choose.js';
import { MessageFrames } from '../../../src/extproc/transport/message-frames.js';
import type { Transport } from '../../../src/extproc/transport/transport.js';
import type { ProcessingRequest } from '../../../src/extproc/wire/decode-request.js';
import { temporaryDirectory } from '../../cli/temporary-directory.js';
import { type ResponseShape, reference } from '../message-shapes.js';

/** Bytes of the largest message that the transports under test take. */
export const LARGEST = 4 * 1024 * 1024;
export const PROCESS = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';

export interface Started {
  readonly transport: Transport;
  readonly socket: string;
  readonly faults: string[];
  /** Roles of the streams whose handler was told the end, in this order. */
  readonly closed: string[];
  /** A connection of Node's own HTTP/2 client, which frames nothing for us. */
  connect(settings?: Settings): ClientHttp2Session;
}

/** What a stream does by its role, for the cases of a transport. */
const ROLES: Readonly<Record<string, (request: ProcessingRequest, call: ProcessCall) => void>> = {
  echo: (request, call) => call.send(echoOf(request)),
  later: (request, call) => void setImmediate(() => call.later('an answer', () => call.send(echoOf(request)))),
  silent: () => undefined,
  mistaken: () => {
    throw new Error('mistake');
  },
  leave: (request, call) => {
    call.send(echoOf(request));
    call.leave();
    call.send(echoOf(request));
  },
  fail: (_request, call) => call.fail(14, '100 % größer'),
  answerAndFail: (request, call) => {
    call.send(echoOf(request));
    call.fail(14, 'after an answer');
  },
};

function echoOf(request: ProcessingRequest): ProcessingResponse {
  return toChunkResponse(request.body);
}

export async function startEcho(t: Test, name: TransportName): Promise<Started> {
  const socket = join(temporaryDirectory(t), 'echo');
  const faults: string[] = [];
  const closed: string[] = [];
  const sessions: ClientHttp2Session[] = [];
  const start = await transportNamed(name);
  const transport = await start({
    address: `unix:${socket}`,
    maxMessageBytes: LARGEST,
    fault: (what, error) => faults.push(`${what}: ${error}`),
    open: (role, call, routes) => handlerOf(routes ?? role, call, closed),
  });
  t.teardown(async () => {
    for (const session of sessions) session.destroy();
    await transport.stop(0);
  });
  return {
    transport,
    socket,
    faults,
    closed,
    connect(settings = {}) {
      const session = connect('http://localhost', { createConnection: () => connectSocket(socket), settings });
      session.on('error', () => undefined);
      sessions.push(session);
      return session;
    },
  };
}

function handlerOf(role: string | undefined, call: ProcessCall, closed: string[]): StreamHandler {
  const does = ROLES[role ?? ''];
  return {
    message: (request) => (does ? does(request, call) : call.fail(3, `role ${role}`)),
    closed: () => {
      closed.push(role ?? '');
      if (role === 'mistaken at the end') throw new Error('mistake');
    },
  };
}

/** A request with this body, as protobufjs writes it, in its gRPC frame. */
export function framed(text: string | Buffer): Buffer {
  const message = reference.requestSerialize({ response_body: { body: Buffer.from(text) } });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Everything that came back on one stream. */
export interface Heard {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | null;
  readonly bodies: readonly string[];
  /** gRPC status, of the trailers or of the only headers; null = reset without one. */
  readonly code: number | null;
  /** DATA frames, about. */
  readonly chunks: number;
}

export function openRaw(session: ClientHttp2Session, more: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': PROCESS,
    'content-type': 'application/grpc',
    te: 'trailers',
    role: 'echo',
    ...more,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** Collects until the stream is closed. @param endAfter answers after which the client half-closes */
export async function hear(stream: ClientHttp2Stream, endAfter = 0): Promise<Heard> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | null = null;
  const bodies: string[] = [];
  let chunks = 0;
  const frames = new MessageFrames(1e9, { message: (bytes) => bodies.push(bodyOf(bytes)) });
  stream.on('response', (got) => {
    headers = got;
  });
  stream.on('trailers', (got) => {
    trailers = got;
  });
  stream.on('data', (chunk: Buffer) => {
    chunks += 1;
    frames.push(chunk);
    if (endAfter > 0 && bodies.length >= endAfter) stream.end();
  });
  if (!stream.closed) await once(stream, 'close');
  const code = (trailers ?? headers)['grpc-status'];
  return {
    status: Number(headers[':status'] ?? 0),
    headers,
    trailers,
    bodies,
    code: code === undefined ? null : Number(code),
    chunks,
  };
}

function bodyOf(bytes: Buffer): string {
  const response = reference.responseDeserialize(bytes) as ResponseShape;
  return String(response.response_body?.response?.body_mutation?.body ?? '');
}

/** Writes the pieces as DATA frames of their own. */
export async function writeCut(stream: ClientHttp2Stream, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) await new Promise((resolve) => stream.write(piece, resolve));
  stream.end();
}
