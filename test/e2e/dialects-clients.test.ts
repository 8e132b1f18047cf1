import t from 'tap';
import { CUTTINGS, type Cutting } from '../../src/mock/cutting.js';
import { loadRecordings, type Recording } from '../../src/mock/recording.js';
import { startReplay } from '../../src/mock/start-replay.js';
import { NO_RECORDINGS, recordingsFolder } from '../dialects/recordings.js';
import { CapturingFetch } from './dialects/captured.js';
import { clientProblems } from './dialects/client-grammar.js';
import { pooled } from './dialects/pooled.js';
import { replayProviders } from './dialects/replay-providers.js';
import { type Said, saidBy } from './dialects/said.js';
import { type ReadingClient, vendorClients, type Where } from './dialects/sdk-clients.js';
import { vercelClients } from './dialects/vercel-clients.js';
import { type Gateway, startGateway } from './harness.js';

// Every recorded answer, given to a client of another dialect, and read by its official library.

const AT_ONCE = 6;
const FULL = process.env['TOLLGATE_DIALECTS'] === 'full';

/** Who answers in which dialect, and whose dialects that are. OpenAI's chat comes from a vendor that has nothing else. */
const PROVIDERS: Readonly<Record<string, (recording: Recording) => string>> = {
  'openai.chat': () => 'moonshot',
  'anthropic.messages': () => 'anthropic',
  'bedrock.converse': () => 'bedrock',
  'bedrock.converseStream': () => 'bedrock',
  'gemini.generateContent': ({ provider }) => provider,
  'gemini.streamGenerateContent': ({ provider }) => provider,
};
const OWN: Readonly<Record<ReadingClient['dialect'], RegExp>> = {
  chat: /^openai\.chat/,
  responses: /^none/,
  messages: /^anthropic\./,
  gemini: /^gemini\./,
};

const folder = recordingsFolder();
const recordings = (folder === null ? [] : loadRecordings(folder)).filter(
  ({ endpoint, response, features }) =>
    endpoint in PROVIDERS && response.status === 200 && !features.includes('error-in-stream'),
);

/** Google's clients tell several answers apart only where they asked for several. */
function isFor(dialect: ReadingClient['dialect'], { endpoint, request }: Recording): boolean {
  return !OWN[dialect].test(endpoint) && (dialect !== 'gemini' || Number(request.body?.['n'] ?? 1) === 1);
}

interface Case {
  readonly recording: Recording;
  readonly client: number;
  readonly cutting: Cutting;
}

interface Read extends Case {
  readonly name: string;
  readonly problems: readonly string[];
}

/** Whole, and in CI one of the other cuttings for one case in eight. */
function cuttingsOf(index: number): readonly Cutting[] {
  if (FULL) return CUTTINGS;
  return index % 8 === 0 ? ['whole', CUTTINGS[1 + ((index / 8) % 2)] ?? 'seams'] : ['whole'];
}

function casesOf(clients: readonly ReadingClient[]): readonly Case[] {
  const pairs = recordings.flatMap((recording) =>
    clients.flatMap(({ dialect }, client) => (isFor(dialect, recording) ? [{ recording, client }] : [])),
  );
  return pairs.flatMap((pair, index) => cuttingsOf(index).map((cutting) => ({ ...pair, cutting })));
}

function clientsOf(where: Where): readonly ReadingClient[] {
  return [...vendorClients(where), ...vercelClients(where)];
}

/** Each worker has clients of its own, so that it knows whose bytes came. */
async function readCase(gateway: Gateway, each: Case): Promise<Read> {
  const capture = new CapturingFetch();
  const client = clientsOf({ url: gateway.url, key: gateway.key, capture })[each.client];
  if (client === undefined) throw new Error('no such client');
  const { recording, cutting } = each;
  const expected = saidBy(recording);
  const provider = PROVIDERS[recording.endpoint]?.(recording);
  const model = `${provider}/${recording.id}@${cutting}`;
  const tools = [...new Set(expected.calls.map((call) => call.name))];
  try {
    const found = await client.read({ model, stream: recording.stream, tools });
    const grammar = clientProblems(client.dialect, recording.stream, await capture.taken());
    return { ...each, name: client.name, problems: [...grammar, ...differences(found, expected)] };
  } catch (error) {
    return { ...each, name: client.name, problems: [`${error}`.slice(0, 400)] };
  }
}

function differences(found: Said, expected: Said): string[] {
  const wrong: string[] = [];
  for (const member of ['text', 'calls', 'finish', 'input', 'output'] as const) {
    const wanted = member === 'text' && found.text !== '' ? expected.text || expected.refusal : expected[member];
    const [read, said] = [JSON.stringify(found[member]), JSON.stringify(wanted)];
    if (said !== 'null' && read !== said)
      wrong.push(`${member}: read ${read.slice(0, 300)}, said ${said.slice(0, 300)}`);
  }
  return wrong;
}

t.test(
  'recorded answers, read by clients of other dialects',
  { timeout: FULL ? 0 : 200_000, skip: NO_RECORDINGS },
  async (t) => {
    const replay = await startReplay(recordings, { host: '127.0.0.1', port: 0 });
    t.teardown(() => replay.close());
    const kinds = new Set(recordings.map((recording) => PROVIDERS[recording.endpoint]?.(recording) ?? ''));
    const gateway = await startGateway(t, { config: { providers: replayProviders(kinds, replay.address.port) } });
    const names = clientsOf({ url: gateway.url, key: gateway.key, capture: new CapturingFetch() });
    const read = await pooled(
      casesOf(names).map((each) => () => readCase(gateway, each)),
      AT_ONCE,
    );
    for (const [index, { name }] of names.entries()) {
      t.test(name, async (t) => {
        for (const { recording, cutting, problems } of read.filter(({ client }) => client === index)) {
          t.same(problems, [], `${recording.id}, ${cutting}`);
        }
      });
    }
  },
);
