import { EventStreamCodec } from '@smithy/eventstream-codec';
import t from 'tap';
import { CUTTINGS, type Cutting } from '../../src/mock/cutting.js';
import { loadRecordings, type Recording, recordedBytes } from '../../src/mock/recording.js';
import { startReplay } from '../../src/mock/start-replay.js';
import { NO_RECORDINGS, recordingsFolder } from '../dialects/recordings.js';
import type { Received } from './client.js';
import { type NativeCall, nativeCalls } from './dialects/native-calls.js';
import { pooled } from './dialects/pooled.js';
import { replayProviders } from './dialects/replay-providers.js';
import { EXPECTED, usageProblems } from './dialects/stated-usage.js';
import { type Gateway, type RequestRecord, startGateway } from './harness.js';

// Every recording in its own dialect: what the provider sent is what the client gets, and the record says what was used.

/** Requests at a time: enough to be quick, few enough that two cores still deliver piece by piece. */
const AT_ONCE = 6;
/** All cuttings of all calls: `npm run dialects`. Without it each call is cut in one of the ways, in turn, besides whole. */
const FULL = process.env['TOLLGATE_DIALECTS'] === 'full';

const folder = recordingsFolder();
const calls = (folder === null ? [] : loadRecordings(folder)).flatMap(nativeCalls);

interface Replayed {
  readonly call: NativeCall;
  readonly cutting: Cutting;
  readonly answer: Received;
}

function isWanted(index: number, cutting: Cutting): boolean {
  return FULL || cutting === 'whole' || CUTTINGS.indexOf(cutting) === 1 + (index % (CUTTINGS.length - 1));
}

function asksUsage(recording: Recording): boolean {
  const options = recording.request.body?.['stream_options'];
  return (
    typeof options === 'object' && options !== null && 'include_usage' in options && options.include_usage === true
  );
}

/** The bytes that the client must get: the recorded ones, without the usage chunk that it did not ask for. */
function wantedBytes({ recording, reframed }: NativeCall): Buffer {
  const bytes = recordedBytes(recording);
  if (reframed) return anthropicEvents(bytes);
  const strippable = ['openai.chat', 'openai.completions'].includes(recording.endpoint);
  if (!recording.stream || recording.response.status !== 200 || !strippable || asksUsage(recording)) return bytes;
  const events = bytes.toString('latin1').split(/(?<=\r\n\r\n|\n\n)/);
  return Buffer.from(events.filter((event) => !isUsageOnly(event)).join(''), 'latin1');
}

function isUsageOnly(event: string): boolean {
  const data = /^data: ?(\{.*\})\r?$/m.exec(event)?.[1];
  if (data === undefined) return false;
  const chunk = JSON.parse(data) as { choices?: unknown[]; usage?: unknown };
  return chunk.choices?.length === 0 && typeof chunk.usage === 'object' && chunk.usage !== null;
}

/** What AWS' frames hold, as Anthropic would have sent it. */
function anthropicEvents(frames: Buffer): Buffer {
  const codec = new EventStreamCodec(
    (bytes) => Buffer.from(bytes).toString(),
    (text) => Buffer.from(text),
  );
  let events = '';
  for (let at = 0; at < frames.length; at += frames.readUInt32BE(at)) {
    const { body } = codec.decode(frames.subarray(at, at + frames.readUInt32BE(at)));
    const { bytes } = JSON.parse(Buffer.from(body).toString()) as { bytes: string };
    const data = JSON.parse(Buffer.from(bytes, 'base64').toString()) as Record<string, unknown>;
    delete data['amazon-bedrock-invocationMetrics'];
    events += `event: ${data['type']}\ndata: ${JSON.stringify(data)}\n\n`;
  }
  return Buffer.from(events);
}

function answerProblems({ call, answer }: Replayed): string[] {
  const { status } = call.recording.response;
  if (answer.status !== status) return [`status ${answer.status}: ${answer.text.slice(0, 300)}`];
  if (!answer.complete) return ['cut'];
  const wanted = wantedBytes(call);
  if (answer.body.equals(wanted)) return [];
  if (status === 200) return [difference(answer.body, wanted)];
  // An error may be put into the client's dialect: it must stay readable and keep what the provider said.
  const error = (JSON.parse(answer.text) as { error?: { message?: unknown } }).error;
  return typeof error?.message === 'string' && error.message !== '' ? [] : [`error ${answer.text.slice(0, 300)}`];
}

function difference(found: Buffer, wanted: Buffer): string {
  let at = 0;
  while (at < found.length && found[at] === wanted[at]) at += 1;
  const around = (bytes: Buffer): string => JSON.stringify(bytes.subarray(Math.max(0, at - 40), at + 60).toString());
  return `${found.length} bytes, wanted ${wanted.length}; at ${at}: ${around(found)}, wanted ${around(wanted)}`;
}

function recordProblems({ call }: Replayed, record: RequestRecord | undefined): string[] {
  const { recording, metered } = call;
  if (record === undefined) return ['no record'];
  const stated = recording.expect.usage;
  if (recording.response.status !== 200) {
    return record.cost_nano_usd === 0 ? [] : [`an error that costs ${record.cost_nano_usd}`];
  }
  if (metered === 'none') return [];
  const expected = stated === null ? null : EXPECTED[metered](stated);
  if (expected !== null) return usageProblems(expected, record);
  const { images: _images, audio_seconds: _seconds, ...counted } = record.usage;
  const any = Object.values(counted).some((count) => count > 0);
  return record.usage_source === 'provider' && stated === null && any ? ['usage from nowhere'] : [];
}

/** All records, when the last one is there: they are written after the answers have ended. */
async function recordsOf(gateway: Gateway, replayed: readonly Replayed[]): Promise<Map<string, RequestRecord>> {
  await gateway.settled();
  for (const { answer } of replayed.slice(-AT_ONCE)) await gateway.record(answer.headers['x-request-id'] ?? '');
  return new Map((await gateway.requests()).map((record) => [record.id, record]));
}

t.test('every recording, whole and in pieces', { timeout: FULL ? 0 : 180_000, skip: NO_RECORDINGS }, async (t) => {
  const replay = await startReplay(
    calls.map(({ recording }) => recording),
    { host: '127.0.0.1', port: 0 },
  );
  t.teardown(() => replay.close());
  const names = new Set(calls.map(({ provider }) => provider));
  const gateway = await startGateway(t, { config: { providers: replayProviders(names, replay.address.port) } });

  const jobs = CUTTINGS.flatMap((cutting) =>
    calls.flatMap((call, index) => {
      if (!isWanted(index, cutting)) return [];
      return async (): Promise<Replayed> => {
        const model = `${call.recording.id}@${cutting}`;
        return { call, cutting, answer: await gateway.post(call.path(model), call.body(model)) };
      };
    }),
  );
  const replayed = await pooled(jobs, AT_ONCE);
  const records = await recordsOf(gateway, replayed);

  for (const cutting of CUTTINGS) {
    t.test(cutting, async (t) => {
      for (const each of replayed.filter((one) => one.cutting === cutting)) {
        const record = records.get(each.answer.headers['x-request-id'] ?? '');
        const { recording, provider } = each.call;
        t.same([...answerProblems(each), ...recordProblems(each, record)], [], `${recording.id} of ${provider}`);
      }
    });
  }
  t.same(gateway.unsettled(), [], 'one final entry for each hold');
});
