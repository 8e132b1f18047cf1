import { once } from 'node:events';
import { credentials, type GrpcObject, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import fc from 'fast-check';
import t from 'tap';
import { healthService, referenceService } from '../../../src/extproc/service-definition.js';
import { eventually } from '../../eventually.js';
import { framed, hear, openRaw, startEcho, writeCut } from './echo.js';

// Node's HTTP/2 client and grpc-js as independent peers; the table of all transports is in transport.test.ts.

t.test('small windows and frames, many streams at once, large bodies both ways', async (t) => {
  const started = await startEcho(t, 'net');
  const texts = [10, 1_000, 100_000, 1_000_000].map((size) => 'abcdefghij'.repeat(size / 10));
  for (const initialWindowSize of [0, 1, 1_000, 1_000_000]) {
    const session = started.connect({ initialWindowSize });
    await once(session, 'localSettings');
    const sizes = initialWindowSize < 1_000 ? texts.slice(0, 2) : texts;
    if (initialWindowSize === 0) setImmediate(() => session.settings({ initialWindowSize: 70_000 }));
    const all = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const stream = openRaw(session, { role: index % 2 === 0 ? 'echo' : 'later' });
        const heard = hear(stream, sizes.length);
        for (const each of sizes) stream.write(framed(each));
        return heard;
      }),
    );
    const expected = sizes.map((each) => each.length).join();
    t.ok(
      all.every(({ code, bodies }) => code === 0 && bodies.map((body) => body.length).join() === expected),
      `windows of ${initialWindowSize}`,
    );
    session.destroy();
  }
  t.same(started.faults, []);
});

t.test('property: streams that are interleaved, broken off and left unread', async (t) => {
  const started = await startEcho(t, 'net');
  const said = fc.record({
    texts: fc.array(fc.oneof(fc.string({ maxLength: 40 }), fc.constant('z'.repeat(30_000))), { maxLength: 6 }),
    role: fc.constantFrom('echo', 'echo', 'later', 'leave', 'fail', 'answerAndFail'),
    breaksOff: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 10 }), async (all) => {
      const session = started.connect({ initialWindowSize: 20_000 });
      const good = await Promise.all(
        all.map(async ({ texts, role, breaksOff }) => {
          const stream = openRaw(session, { role });
          const heard = hear(stream, role === 'later' ? texts.length : 0);
          if (breaksOff) {
            stream.write(framed(texts[0] ?? ''), () => stream.close(8));
            await once(stream, 'close');
            return true;
          }
          if (role === 'later' && texts.length > 0) for (const text of texts) stream.write(framed(text));
          else await Promise.race([writeCut(stream, texts.map(framed)), heard]);
          const { bodies, code } = await heard;
          return role !== 'echo' || (code === 0 && bodies.join() === texts.map((text) => text.toWellFormed()).join());
        }),
      );
      session.destroy();
      return good.every(Boolean);
    }),
    { numRuns: 60 },
  );
  await eventually('no stream is left', () => started.transport.streams() === 0);
  t.same(started.faults, []);
});

t.test('grpc-js as the client', async (t) => {
  const started = await startEcho(t, 'net');
  const Client = makeGenericClientConstructor(referenceService(), 'ExternalProcessor');
  const client = new Client(`unix:${started.socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const metadata = new Metadata();
  metadata.set('role', 'echo');
  const open = client['Process']?.bind(client) as unknown as (metadata: Metadata) => NodeJS.ReadWriteStream;
  const sizes = [1, 100_000, 3_000_000];
  const lengths = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const stream = open(metadata);
      const got: number[] = [];
      stream.on('data', (answer: { response_body: { response: { body_mutation: { body: Buffer } } } }) => {
        got.push(answer.response_body.response.body_mutation.body.length);
      });
      for (const size of sizes) stream.write({ response_body: { body: Buffer.alloc(size, 'x') } } as unknown as string);
      stream.end();
      const [status] = (await once(stream, 'status')) as [{ code: number }];
      return [...got, status.code].join();
    }),
  );
  t.same(new Set(lengths), new Set([[...sizes, 0].join()]));
  const Health = makeGenericClientConstructor(healthService(), 'Health');
  const health = new Health(`unix:${started.socket}`, credentials.createInsecure());
  const check = health['Check']?.bind(health) as unknown as (
    question: object,
    done: (error: unknown, answer: GrpcObject) => void,
  ) => void;
  const answer = await new Promise((resolve, reject) => {
    check({ service: '' }, (error, got) => (error ? reject(error) : resolve(got)));
  });
  t.match(JSON.stringify(answer), /SERVING|1/);
  client.close();
  health.close();
});
