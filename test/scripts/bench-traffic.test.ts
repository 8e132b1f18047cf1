import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { AnswerReader } from '../../bench/load/answer-reader.js';
import { pace } from '../../bench/load/pace.js';
import { runLoad } from '../../bench/load/run-load.js';
import { monotonicMicros, readStamps, stampPlace, writeStamp } from '../../bench/load/stamps.js';
import { readOptions } from '../../bench/options.js';
import { answer } from '../../bench/upstream/answers.js';
import { type AskedFor, RequestReader } from '../../bench/upstream/request-reader.js';
import { Wheel } from '../../bench/upstream/wheel.js';

/** Bytes in pieces of any size. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [0, ...places.map((place) => place % bytes.length).sort((left, right) => left - right), bytes.length];
  return cuts.slice(1).map((end, at) => bytes.subarray(cuts[at], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });

function chunked(parts: readonly string[]): string {
  const chunks = parts.filter((part) => part !== '').map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
  return `${chunks.join('')}0\r\n\r\n`;
}

t.test('answers are told apart however they are cut', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', '{', '\n', '0', ' '), maxLength: 40 });
  const status = fc.constantFrom(200, 401, 503);
  const sized = fc.tuple(status, text).map(([code, body]) => ({
    code,
    length: body.length,
    bytes: `HTTP/1.1 ${code} Any\r\nserver: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  }));
  const inChunks = fc.tuple(status, fc.array(text)).map(([code, parts]) => {
    const body = chunked(parts);
    return { code, length: body.length, bytes: `HTTP/1.1 ${code} Any\r\ntransfer-encoding: chunked\r\n\r\n${body}` };
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(sized, inChunks), cuts), { minLength: 1 }), (answers) => {
      const reader = new AnswerReader();
      for (const [{ code, length, bytes }, places] of answers) {
        const pieces = cutAt(Buffer.from(bytes), places).filter((piece) => piece.length > 0);
        let seen = 0;
        const told = pieces.map((piece) => {
          const read = reader.push(piece);
          if (read !== 'head') seen += reader.body.length;
          return read;
        });
        t.equal(told.indexOf('end'), told.length - 1, 'ends with its last byte');
        t.same([reader.status, seen], [code, length]);
      }
    }),
  );
});

t.test('requests are told apart however they are cut', async (t) => {
  const request = fc.record({
    model: fc.constantFrom('bench', 'quick', 'slow'),
    stream: fc.boolean(),
    prompt: fc.constantFrom(0, 10, 5000),
    chunks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(request, cuts), { minLength: 1, maxLength: 5 }), (requests) => {
      const seen: AskedFor[] = [];
      const reader = new RequestReader((each) => seen.push(each));
      for (const [{ model, stream, prompt, chunks }, places] of requests) {
        const body = JSON.stringify({ messages: 'x'.repeat(prompt), model, stream });
        const length = chunks ? 'transfer-encoding: chunked' : `content-length: ${body.length}`;
        const head = `POST /v1/messages HTTP/1.1\r\nhost: x\r\n${length}\r\n\r\n`;
        for (const piece of cutAt(Buffer.from(head + (chunks ? chunked([body]) : body)), places)) reader.push(piece);
      }
      const asked = requests.map(([{ model, stream }]) => ({ path: '/v1/messages', model, stream }));
      t.same(seen, asked);
    }),
  );
});

t.test('requests of a timetable are due by it and never early', async (t) => {
  const dues: number[] = [];
  await new Promise<void>((resolve) => {
    pace(60, 4000, (due) => {
      t.ok(performance.now() >= due);
      if (dues.push(due) === 60) resolve();
    });
  });
  const steps = dues.slice(1).map((due, at) => due - (dues[at] ?? 0));
  t.ok(steps.every((step) => Math.abs(step - 0.25) < 1e-6));
});

t.test('the wheel forgets nothing and runs nothing early', async (t) => {
  const wheel = new Wheel();
  // More than one turn of the wheel is 1,024 ms.
  const delays = [0, 3, 3, 20, 1100];
  const early = await Promise.all(
    delays.map((delay) => {
      const due = performance.now() + delay;
      return new Promise<boolean>((resolve) => wheel.add(due, () => resolve(performance.now() < due)));
    }),
  );
  t.same(
    early,
    delays.map(() => false),
  );
});

t.test('stamps tell their age, those that are cut tell nothing', async (t) => {
  const template = Buffer.from(`data: {"content":"@${'0'.repeat(16)}yy"}`);
  writeStamp(template, stampPlace(template), monotonicMicros() - 5000);
  const ages: number[] = [];
  readStamps(Buffer.concat([template, template, template.subarray(0, 30)]), (age) => ages.push(age));
  t.equal(ages.length, 2);
  t.ok(ages.every((age) => age >= 5));
});

/** The bench's provider, in this process. */
async function startProvider(): Promise<Server> {
  const server = createServer((socket) => {
    let stop = (): void => undefined;
    const reader = new RequestReader((request) => {
      stop = answer(request, socket);
    });
    socket.on('data', (piece) => reader.push(piece));
    socket.on('close', () => stop());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

t.test('a load counts what was answered, in closed and in open loop', async (t) => {
  const server = await startProvider();
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const order = { port, requests: 40, connections: 4, model: 'bench', stream: false, prompt: 50, key: 'k' };
  const closed = await runLoad(order).result;
  t.match(closed, { ok: 40, failed: 0, events: null, behind: null });
  const open = await runLoad({ ...order, rate: 2000 }).result;
  t.match(open, { ok: 40, failed: 0 });
  t.ok(open.behind);
  const refused = await runLoad({ ...order, model: 'fail' }).result;
  t.match(refused, { ok: 0, failed: 40 });
  t.match(await runLoad({ ...order, model: 'fail', status: [401, 503] }).result, { ok: 40, failed: 0 });
  const streamed = await runLoad({ ...order, requests: 3, stream: true }).result;
  t.match(streamed, { ok: 3, failed: 0 });
  t.ok((streamed.events?.count ?? 0) > 200, 'nearly every event of 3 × 100 lies in one piece');
  const mixed = await runLoad({ ...order, models: ['bench', 'fail'] }).result;
  t.match(mixed, { ok: 20, failed: 20 }, 'models in turn');
  const held = runLoad({ ...order, requests: 5, connections: 5, stream: true, model: 'slow', rate: 1000, hold: true });
  t.match(await held.result, { ok: 5, failed: 0 });
  t.equal(await connections(server), 5, 'they stay open');
  const gone = new Promise<void>((resolve) => {
    const look = (): void => void connections(server).then((count) => (count === 0 ? resolve() : setImmediate(look)));
    look();
  });
  held.release();
  await gone;
});

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((problem, count) => (problem ? reject(problem) : resolve(count))),
  );
}

t.test('a load whose gateway is not there fails, and ends', async (t) => {
  const server = await startProvider();
  const { port } = server.address() as AddressInfo;
  server.close();
  const order = { port, requests: 10, connections: 2, model: 'bench', stream: false, prompt: 1, key: 'k' };
  t.match(await runLoad(order).result, { ok: 0, failed: 10 });
  t.match(await runLoad({ ...order, rate: 1000 }).result, { ok: 0, failed: 10, problem: /ECONNREFUSED/ });
});

t.test('a load whose gateway says nothing fails, and ends', async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined).resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const order = { port, connections: 2, model: 'bench', stream: false, prompt: 1, key: 'k', patienceSeconds: 0.05 };
  const silent = { ok: 0, failed: 4, problem: 'nothing moved for 0.05 s' };
  t.match(await runLoad({ ...order, requests: 4 }).result, silent);
  t.match(await runLoad({ ...order, requests: 4, rate: 1000 }).result, silent);
});

t.test('a connection that is closed between two requests is replaced', async (t) => {
  let answered = 0;
  const server = createServer((socket) => {
    const reader = new RequestReader((request) => {
      answer(request, socket);
      answered += 1;
      socket.end();
    });
    socket.on('error', () => undefined).on('data', (piece) => reader.push(piece));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  // Slow enough that the close comes before the next request on most of them.
  const order = { port, requests: 12, connections: 2, model: 'bench', stream: false, prompt: 1, key: 'k', rate: 50 };
  const { ok, failed } = await runLoad(order).result;
  t.equal(ok + failed, 12, 'none waits for ever');
  t.ok(answered > 2);
});

t.test('a load that runs for a time sends until then', async (t) => {
  const server = await startProvider();
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const order = { port, requests: 1e9, connections: 3, model: 'bench', stream: false, prompt: 1, key: 'k' };
  const { ok, failed, seconds } = await runLoad({ ...order, seconds: 0.1 }).result;
  t.ok(ok >= 3 && failed === 0 && seconds >= 0.1);
});

t.test('words of the command line', async (t) => {
  const options = readOptions(['small', '--rounds', '3', '--json=out.json', 'open', '--short']);
  t.match(options, { names: ['small', 'open'], rounds: 3, short: true });
  t.equal(options.value('json'), 'out.json');
  t.equal(options.value('base'), null);
  t.throws(() => readOptions(['--rounds']), /needs a value/);
  t.throws(() => readOptions(['--rounds', 'many']), /number/);
});
