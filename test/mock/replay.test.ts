import fc from 'fast-check';
import t from 'tap';
import { CUTTINGS, pieced } from '../../src/mock/cutting.js';
import { loadRecordings, recordedBytes } from '../../src/mock/recording.js';
import { startReplay } from '../../src/mock/start-replay.js';
import { NO_RECORDINGS, recordingsFolder } from '../dialects/recordings.js';
import { exchange } from '../e2e/client.js';

const folder = recordingsFolder();
const all = folder === null ? [] : loadRecordings(folder);
const recordings = all.filter(({ endpoint }) => endpoint.startsWith('openai.'));

t.test('every cutting gives the same bytes', async (t) => {
  const text = fc.array(fc.constantFrom('data: ', '{"usage":1}', 'ü', '🎉', '\r\n', '\n\n', '[DONE]', 'x', '東'));
  fc.assert(
    fc.property(text, fc.constantFrom(...CUTTINGS), (words, cutting) => {
      const body = Buffer.from(words.join(''));
      const whole = Buffer.concat(pieced(body, cutting).map((piece) => piece.bytes));
      return (
        whole.equals(body) && (cutting !== 'bytes' || body.length === 0 || pieced(body, cutting).length === body.length)
      );
    }),
  );
  const seams = pieced(Buffer.from('aü\r\n\r\nb'), 'seams').map((piece) => piece.bytes.toString('latin1'));
  t.same(seams, ['a\xc3', '\xbc\r', '\n', '\r', '\nb']);
});

t.test(
  'a replay sends what was recorded, in pieces, and keeps what it received',
  { skip: NO_RECORDINGS },
  async (t) => {
    const replay = await startReplay(recordings, { host: '127.0.0.1', port: 0 });
    t.teardown(() => replay.close());
    const target = new URL(`http://127.0.0.1:${replay.address.port}/v1/chat/completions`);
    for (const recording of recordings.filter((each) => recordedBytes(each).length < 20_000)) {
      for (const cutting of CUTTINGS) {
        const body = JSON.stringify({ model: `${recording.id}@${cutting}` });
        const answer = await exchange(target, { method: 'POST', headers: { authorization: 'Bearer x' }, body });
        t.equal(answer.status, recording.response.status);
        t.ok(answer.body.equals(recordedBytes(recording)), `${recording.id} ${cutting}`);
        if (cutting === 'bytes' && recording.stream) t.ok(answer.chunks.length > 50, `${answer.chunks.length} pieces`);
      }
    }
    t.equal(replay.captures[0]?.headers['authorization'], 'Bearer x');
    const first = recordings[0]?.id ?? '';
    t.equal((await exchange(new URL(`/x/${first}`, target), { method: 'GET' })).status, recordings[0]?.response.status);
    t.equal((await exchange(target, { method: 'POST', body: '{"model":"none"}' })).status, 404);
  },
);

t.test('recordings of every dialect are found by the paths of their dialects', { skip: NO_RECORDINGS }, async (t) => {
  const others = all.filter(({ endpoint }) => !endpoint.startsWith('openai.'));
  const replay = await startReplay(others, { host: '127.0.0.1', port: 0 });
  t.teardown(() => replay.close());
  const base = `http://127.0.0.1:${replay.address.port}`;
  const ask = (id: string, endpoint: string) => {
    const dialect = endpoint.split('.')[0];
    const path =
      dialect === 'bedrock'
        ? `/model/${encodeURIComponent(id)}/converse-stream`
        : `/v1beta/models/${id}:streamGenerateContent?alt=sse`;
    return dialect === 'gemini' || dialect === 'bedrock'
      ? exchange(new URL(path, base), { method: 'POST', body: '{}' })
      : exchange(new URL('/v1/messages', base), { method: 'POST', body: JSON.stringify({ model: id }) });
  };
  for (const recording of others.filter((each) => recordedBytes(each).length < 10_000)) {
    for (const cutting of ['whole', 'seams'] as const) {
      const answer = await ask(`${recording.id}@${cutting}`, recording.endpoint);
      t.equal(answer.status, recording.response.status, recording.id);
      t.ok(answer.body.equals(recordedBytes(recording)), `${recording.id} ${cutting}`);
    }
  }
  t.equal((await exchange(new URL('/model/%zz/converse', base), { method: 'POST', body: '{}' })).status, 404);
});
