import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientDuplexStream, credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { type ExtProcServer, startExtProc } from '../../src/extproc/server.js';
import { healthService, referenceService } from '../../src/extproc/service-definition.js';
import type { TransportName } from '../../src/extproc/transport/choose.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { temporaryDirectory } from '../cli/temporary-directory.js';
import { CHAT, chatBody, SampleParts } from '../gateway/sample-parts.js';
import { message, VIA_UPSTREAM } from './fake-call.js';
import type { RequestShape, ResponseShape } from './message-shapes.js';

type Stream = ClientDuplexStream<RequestShape, ResponseShape>;
interface Client {
  Process(metadata: Metadata): Stream;
  close(): void;
}
interface HealthClient {
  Check(request: object, done: (error: Error | null, answer?: { status: number }) => void): void;
  close(): void;
}

interface Started {
  readonly server: ExtProcServer;
  readonly socket: string;
  readonly parts: SampleParts;
  readonly open: (role: string) => Stream;
  readonly health: () => Promise<number>;
}

/** A generation on a real socket in the test's directory; all of them find each other there. */
async function start(t: Test, directory: string, generation: string, transport: TransportName): Promise<Started> {
  const socketOf = (name: string) => (existsSync(join(directory, name)) ? join(directory, name) : null);
  const socket = join(directory, generation);
  const parts = new SampleParts(undefined, generation);
  const server = await startExtProc({
    gateway: new Gateway(parts),
    address: `unix:${socket}`,
    maxMessageBytes: 1024 * 1024,
    socketOf,
    transport,
    fault: (what, error) => parts.faults.push(`${what}: ${String(error)}`),
  });
  const Processor = makeGenericClientConstructor(referenceService(), 'ExternalProcessor');
  const Health = makeGenericClientConstructor(healthService(), 'Health');
  const client = new Processor(`unix:${socket}`, credentials.createInsecure()) as unknown as Client;
  const health = new Health(`unix:${socket}`, credentials.createInsecure()) as unknown as HealthClient;
  t.teardown(async () => {
    client.close();
    health.close();
    await server.stop(0);
  });
  return { server, socket, parts, open: (role) => opened(client, role), health: () => ask(health) };
}

function opened(client: Client, role: string): Stream {
  const metadata = new Metadata();
  if (role !== '') metadata.set('role', role);
  const stream = client.Process(metadata);
  // Ended by the server when a test is over.
  stream.on('error', () => undefined);
  return stream;
}

function ask(client: HealthClient): Promise<number> {
  return new Promise((resolve, reject) => {
    client.Check({}, (error, answer) => (error ? reject(error) : resolve(answer?.status ?? 0)));
  });
}

async function say(stream: Stream, request: RequestShape): Promise<ResponseShape> {
  const answer = once(stream, 'data');
  stream.write(request);
  const [response] = (await answer) as [ResponseShape];
  return response;
}

/** Headers and body of a request; the answer that opens the gate. */
async function decide(stream: Stream): Promise<ResponseShape> {
  await say(stream, { request_headers: message(CHAT) });
  return say(stream, { request_body: { body: chatBody('smart', true), end_of_stream: true } });
}

/** The first message of attempt 2's stream, as the `request` filter's metadata makes it. */
function attempt(generation: string, cluster = 'cluster-of-b'): RequestShape {
  const tollgate = { fields: { rid: { string_value: 'request-1' }, generation: { string_value: generation } } };
  return {
    request_headers: message({ ':path': '/v1/chat/completions', 'x-envoy-attempt-count': '2' }),
    metadata_context: { filter_metadata: { tollgate } },
    attributes: { 'envoy.filters.http.ext_proc': { fields: { 'xds.cluster_name': { string_value: cluster } } } },
  };
}

async function errorOf(stream: Stream): Promise<{ code?: number }> {
  const [error] = (await once(stream, 'error')) as [{ code?: number }];
  return error;
}

const CASES: Readonly<Record<string, (t: Test, transport: TransportName) => Promise<void>>> = {
  'roles over a real socket': async (t, transport) => {
    const directory = temporaryDirectory(t);
    // What a killed process leaves behind.
    writeFileSync(join(directory, '7'), '');
    const { server, parts, open } = await start(t, directory, '7', transport);
    const stream = open('request');
    t.match(await decide(stream), { request_body: { response: { clear_route_cache: true } } });
    t.equal(server.inFlight(), 1);
    const again = open('again');
    const reply = await say(again, attempt('7'));
    t.match(String(reply.request_headers?.response?.body_mutation?.body), '"model":"large"');
    again.end();
    stream.end();
    await once(stream, 'end');
    t.equal(server.inFlight(), 0);
    t.equal(parts.finals.length, 1);
    const lost = open('again');
    t.match(
      await say(lost, attempt('7')),
      { immediate_response: { status: { code: 503 } } },
      'nobody knows the request',
    );
    lost.end();
    for (const role of ['', 'other']) {
      const unknown = open(role);
      unknown.write({ request_headers: message(CHAT) });
      t.match(await errorOf(unknown), { code: 3 }, `role "${role}"`);
    }
    t.same(parts.faults, []);
  },

  'a handler that fails ends its stream alone': async (t, transport) => {
    const { parts, open } = await start(t, temporaryDirectory(t), '7', transport);
    const good = open('request');
    await say(good, { request_headers: message(CHAT) });
    const bad = open('request');
    bad.write({ response_body: { body: Buffer.from('x') } });
    t.match(await errorOf(bad), { code: 13 });
    t.equal(parts.faults.length, 1);
    t.match(await say(good, { request_body: { body: chatBody('smart', true) } }), { request_body: {} });
    good.end();
  },

  'a stop lets running streams finish': async (t, transport) => {
    const { server, parts, open, health } = await start(t, temporaryDirectory(t), '7', transport);
    t.equal(await health(), 1);
    const stream = open('request');
    await decide(stream);
    const stopped = server.stop(5000);
    t.equal(server.streams(), 1);
    const headers = message({ ':status': '200', 'content-type': 'application/json' });
    await say(stream, { response_headers: headers, attributes: VIA_UPSTREAM });
    const body = Buffer.from('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}');
    await say(stream, { response_body: { body, end_of_stream: true } });
    stream.end();
    await stopped;
    t.match(parts.finals, [{ type: 'settle', status: 200 }]);
    await t.rejects(health(), 'no new calls');
  },

  'a stop does not wait for ever': async (t, transport) => {
    const { server, parts, open } = await start(t, temporaryDirectory(t), '7', transport);
    const stream = open('request');
    await decide(stream);
    const failed = errorOf(stream);
    await server.stop(20);
    await failed;
    while (parts.finals.length === 0) await new Promise(setImmediate);
    t.match(parts.finals, [{ type: 'estimate', status: 499 }]);
  },

  'a generation that dies in the middle of what it does for another': async (t, transport) => {
    const directory = temporaryDirectory(t);
    const old = await start(t, directory, '7', transport);
    const young = await start(t, directory, '8', transport);
    await decide(old.open('request'));
    const again = young.open('again');
    await say(again, attempt('7'));
    const failed = errorOf(again);
    await old.server.stop(0);
    t.match(await failed, { code: 14 }, 'nobody can go on where it stopped');
  },

  "an attempt of another generation's request": async (t, transport) => {
    const directory = temporaryDirectory(t);
    const old = await start(t, directory, '7', transport);
    const young = await start(t, directory, '8', transport);
    const stream = old.open('request');
    await decide(stream);
    const again = young.open('again');
    const reply = await say(again, attempt('7'));
    t.match(String(reply.request_headers?.response?.body_mutation?.body), '"model":"large"', 'written by the old one');
    const headers = message({ ':status': '200', 'content-type': 'text/event-stream' });
    t.match(
      await say(again, { response_headers: headers }),
      { response_headers: {} },
      'its answer is looked at there too',
    );
    again.end();
    const { metadata_context: whose = {} } = attempt('7');
    const json = { response_headers: message({ ':status': '200', 'content-type': 'application/json' }) };
    for (const role of ['answer', 'peek']) {
      const asked = young.open(role);
      const left = once(asked, 'end');
      t.match(await say(asked, { ...json, metadata_context: whose }), { response_headers: {} });
      await left;
      t.pass(`${role}: the old one leaves, so does the young one`);
    }
    stream.end();
    // Killed: its file is still there, and nobody listens.
    writeFileSync(join(directory, '6'), '');
    const orphan = young.open('again');
    t.match(await say(orphan, attempt('6')), { immediate_response: { status: { code: 503 } } });
    orphan.end();
    t.same([...old.parts.faults, ...young.parts.faults], []);
  },
};

for (const transport of ['grpc-js', 'http2', 'net'] as const) {
  t.test(transport, async (t) => {
    for (const [what, check] of Object.entries(CASES)) t.test(what, async (t) => check(t, transport));
  });
}
