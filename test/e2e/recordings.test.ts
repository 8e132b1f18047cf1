import t from 'tap';
import { matchEndpoint } from '../../src/dialects/endpoints.js';
import { CUTTINGS, type Cutting } from '../../src/mock/cutting.js';
import { loadRecordings, type Recording, recordedBytes } from '../../src/mock/recording.js';
import { startReplay } from '../../src/mock/start-replay.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { NO_RECORDINGS, recordingsFolder } from '../dialects/recordings.js';
import type { Received } from './client.js';
import { type RequestRecord, startGateway } from './harness.js';

/** Requests at a time: enough to be quick, few enough that two cores still deliver piece by piece. */
const AT_ONCE = 6;

const PATHS: Readonly<Record<string, string>> = {
  'openai.chat': '/v1/chat/completions',
  'openai.completions': '/v1/completions',
  'openai.responses': '/v1/responses',
  'openai.embeddings': '/v1/embeddings',
  'openai.images': '/v1/images/generations',
};

const SAME_VENDOR: Readonly<Record<string, string>> = { azure: 'azure-openai', zai: 'zhipu' };

const folder = recordingsFolder();
const all = folder === null ? [] : loadRecordings(folder);
const recordings = all.filter(({ endpoint }) => endpoint in PATHS);

/** The kind under which a recording is replayed: its vendor's own where we have one that serves the endpoint. */
function kindOf(recording: Recording): string {
  const kind = PROVIDER_KINDS.get(SAME_VENDOR[recording.provider] ?? recording.provider);
  const wire = matchEndpoint('POST', PATHS[recording.endpoint] ?? '')?.wire;
  return kind !== undefined && wire !== undefined && kind.wires.has(wire) ? kind.kind : 'openai-compatible';
}

interface Replayed {
  readonly recording: Recording;
  readonly cutting: Cutting;
  readonly answer: Received;
}

function asksUsage(recording: Recording): boolean {
  const options = recording.request.body?.['stream_options'];
  return (
    typeof options === 'object' && options !== null && 'include_usage' in options && options.include_usage === true
  );
}

/** The bytes that the client must get: the recorded ones, without the usage chunk that it did not ask for. */
function wantedBytes(recording: Recording): Buffer {
  const bytes = recordedBytes(recording);
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

type Numbers = Readonly<Record<string, unknown>>;

const numberAt = (from: unknown, ...names: string[]): number | null => {
  for (const name of names) {
    let found: unknown = from;
    for (const step of name.split('.')) found = (found as Numbers | null | undefined)?.[step];
    if (typeof found === 'number') return found;
  }
  return null;
};

/** What is wrong with a record's usage against what the provider stated. Written apart from the readers, on purpose. */
function usageProblems(stated: Numbers, record: RequestRecord): string[] {
  const usage = record.usage;
  const sum = (...names: (keyof typeof usage)[]): number =>
    names.reduce((total, name) => total + (usage[name] ?? 0), 0);
  const input = numberAt(stated, 'prompt_tokens', 'input_tokens') ?? 0;
  const output = numberAt(stated, 'completion_tokens', 'output_tokens') ?? 0;
  // xAI and Gemini state reasoning only in the total.
  const hidden = Math.max(0, (numberAt(stated, 'total_tokens') ?? 0) - input - output);
  const cached = numberAt(
    stated,
    'prompt_tokens_details.cached_tokens',
    'input_tokens_details.cached_tokens',
    'prompt_cache_hit_tokens',
    'cached_tokens',
    'num_cached_tokens',
  );
  const reasoning = numberAt(
    stated,
    'completion_tokens_details.reasoning_tokens',
    'output_tokens_details.reasoning_tokens',
    'reasoning_tokens',
  );
  const wrong: string[] = [];
  const compare = (what: string, found: number, wanted: number): void => {
    if (found !== wanted) wrong.push(`${what} ${found}, stated ${wanted}`);
  };
  compare('input', sum('input', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'input_audio', 'input_image'), input);
  compare('output', sum('output', 'reasoning', 'output_audio'), output + hidden);
  compare('cache_read', sum('cache_read'), Math.min(input, cached ?? 0));
  if (reasoning !== null) compare('reasoning', sum('reasoning'), Math.min(output + hidden, reasoning));
  if (record.usage_source !== 'provider') wrong.push(`usage_source ${record.usage_source}`);
  return wrong;
}

function answerProblems({ recording, answer }: Replayed): string[] {
  const { status } = recording.response;
  if (answer.status !== status) return [`status ${answer.status}: ${answer.text.slice(0, 300)}`];
  if (!answer.complete) return ['cut'];
  if (status === 200) {
    const wanted = wantedBytes(recording);
    return answer.body.equals(wanted) ? [] : [difference(answer.body, wanted)];
  }
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

function recordProblems(replayed: Replayed, record: RequestRecord | undefined): string[] {
  const { recording } = replayed;
  if (record === undefined) return ['no record'];
  const stated = recording.expect.usage;
  if (recording.response.status !== 200) {
    return record.cost_nano_usd === 0 ? [] : [`an error that costs ${record.cost_nano_usd}`];
  }
  // Images and the like are counted in other units, which their own tests check.
  const tokens = stated !== null && numberAt(stated, 'prompt_tokens', 'input_tokens') !== null;
  if (tokens) return usageProblems(stated, record);
  const { images: _images, audio_seconds: _seconds, ...counted } = record.usage;
  const any = Object.values(counted).some((count) => count > 0);
  return record.usage_source === 'provider' && stated === null && any ? ['usage from nowhere'] : [];
}

/** Runs the jobs, so many at a time, and gives their results in order. */
async function pooled<T>(jobs: readonly (() => Promise<T>)[], atOnce: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++) {
      const job = jobs[at];
      if (job !== undefined) results[at] = await job();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

t.test('every recording, whole and in pieces', { timeout: 120_000, skip: NO_RECORDINGS }, async (t) => {
  const replay = await startReplay(recordings, { host: '127.0.0.1', port: 0 });
  t.teardown(() => replay.close());
  const provider = (kind: string) => ({
    kind,
    base_url: `http://127.0.0.1:${replay.address.port}/v1`,
    credentials: 'sk-provider-0123456789abcdef',
  });
  const kinds = new Set(recordings.map(kindOf));
  const gateway = await startGateway(t, {
    config: { providers: Object.fromEntries([...kinds].map((kind) => [kind, provider(kind)])) },
  });

  const jobs = recordings.flatMap((recording) =>
    CUTTINGS.map((cutting) => async (): Promise<Replayed> => {
      const model = `${kindOf(recording)}/${recording.id}@${cutting}`;
      const stream = recording.stream ? { stream: true } : {};
      const body = { ...recording.request.body, model, ...stream };
      const answer = await gateway.post(PATHS[recording.endpoint] ?? '', body);
      return { recording, cutting, answer };
    }),
  );
  const replayed = await pooled(jobs, AT_ONCE);
  await gateway.record(replayed.at(-1)?.answer.headers['x-request-id'] ?? '');
  const records = new Map((await gateway.requests()).map((record) => [record.id, record]));

  for (const cutting of CUTTINGS) {
    t.test(cutting, async (t) => {
      for (const each of replayed.filter((one) => one.cutting === cutting)) {
        const record = records.get(each.answer.headers['x-request-id'] ?? '');
        t.same([...answerProblems(each), ...recordProblems(each, record)], [], each.recording.id);
      }
    });
  }
  t.same(gateway.unsettled(), [], 'one final entry for each hold');
});
