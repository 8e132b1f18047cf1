import type { Wire } from '../src/dialects/endpoint.js';
import { allTranslations } from '../src/dialects/translate/registry.js';
import type { Translation } from '../src/dialects/translate/translation.js';
import { compare } from './compare.js';
import { requestOf, streamOf } from './conversations.js';
import { median } from './cpu.js';
import { startLoad, startPlainEnvoy, startTollgate, startUpstream } from './systems.js';
import { passRequest, passStream, translateRequest, translateStream } from './translation-work.js';

/**
 * What translation costs: CPU of the service's own thread for requests of 1 KB to 10 MB and for each event of a stream, by
 * pair, beside bytes that are passed on; then end to end. Prints Markdown tables of medians over interleaved rounds.
 */

/** Pairs that write texts: the others are asked with small bodies and have no streams. */
export function writingPairs(): readonly Translation[] {
  return allTranslations().filter(({ from, to }) => CLIENTS.has(from) && PROVIDERS.has(to) && from !== to);
}

const CLIENTS: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate',
]);
const PROVIDERS: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'anthropic-messages',
  'gemini-generate',
  'bedrock-converse',
]);
const NAMES: Readonly<Partial<Record<Wire, string>>> = {
  'openai-chat': 'chat',
  'openai-responses': 'responses',
  'anthropic-messages': 'messages',
  'gemini-generate': 'Gemini',
  'bedrock-converse': 'Converse',
};

interface Case {
  readonly name: string;
  /** What one column measures; gives nothing that counts. */
  readonly runs: readonly (() => number)[];
}

const KB = 1024;
const SIZES = [1, 100, 1024, 10_240] as const;

function requestCases(): readonly Case[] {
  const bodies = new Map<Wire, readonly Buffer[]>();
  for (const wire of CLIENTS) {
    const turns = SIZES.map((size) => requestOf(wire, size * KB, 'long-turns'));
    bodies.set(wire, [...turns, requestOf(wire, 10_240 * KB, 'image')]);
  }
  const of = (wire: Wire): readonly Buffer[] => bodies.get(wire) ?? [];
  const passed: Case = {
    name: 'passed on: chat',
    runs: of('openai-chat').map((body) => () => passRequest('openai-chat', body)),
  };
  const pairs = writingPairs().map((pair) => ({
    name: nameOf(pair),
    runs: of(pair.from).map((body) => () => translateRequest(pair, body)),
  }));
  return [passed, ...pairs];
}

const PIECES = [30, 4000] as const;

function streamCases(): readonly Case[] {
  // 4,000 pieces of 20 bytes: about a megabyte on the wire.
  const streams = new Map([...PROVIDERS].map((wire) => [wire, PIECES.map((pieces) => streamOf(wire, pieces))]));
  const of = (wire: Wire) => streams.get(wire) ?? [];
  const passed = [...PROVIDERS].map((wire) => ({
    name: `passed on: ${NAMES[wire]}`,
    runs: of(wire).map((stream) => () => passStream(wire, stream)),
  }));
  const pairs = writingPairs().map((pair) => ({
    name: nameOf(pair),
    runs: of(pair.to).map((stream) => () => translateStream(pair, stream)),
  }));
  return [...passed, ...pairs];
}

function nameOf({ from, to }: Translation): string {
  return `${NAMES[from]} → ${NAMES[to]}`;
}

/** Rounds that do not count: code is compiled while it runs. */
const WARM_UP = 2;

/** Median microseconds of CPU per run: `[case][column]`. */
function measured(cases: readonly Case[], rounds: number): readonly (readonly number[])[] {
  const samples = cases.map(({ runs }) => runs.map((): number[] => []));
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const [row, { runs }] of cases.entries()) {
      for (const [column, run] of runs.entries()) {
        const micros = timed(run);
        if (round >= 0) samples[row]?.[column]?.push(micros);
      }
    }
  }
  return samples.map((row) => row.map(median));
}

/** Short work is repeated, because the clock of the CPU is coarse. */
function timed(run: () => number): number {
  const least = 5_000;
  const begun = process.cpuUsage();
  for (let times = 1; ; times += 1) {
    run();
    const { user, system } = process.cpuUsage(begun);
    if (user + system >= least) return (user + system) / times;
  }
}

export async function measureTranslation({ rounds, requests }: { rounds: number; requests: number }): Promise<void> {
  console.log('\n### Requests: CPU in all, and per KB\n');
  console.log('| | 1 KB | 100 KB | 1 MB | 10 MB | 10 MB, one image |\n|---|---|---|---|---|---|');
  const sizes = [...SIZES, 10_240];
  const asked = requestCases();
  for (const [row, micros] of measured(asked, rounds).entries()) {
    const cells = micros.map((each, column) => `${inWords(each)} (${(each / (sizes[column] ?? 1)).toFixed(1)} µs)`);
    console.log(`| ${asked[row]?.name} | ${cells.join(' | ')} |`);
  }
  console.log('\n### Streams: CPU per event\n');
  console.log('| | 30 events | 4,000 events (1 MB) |\n|---|---|---|');
  const streamed = streamCases();
  for (const [row, micros] of measured(streamed, rounds).entries()) {
    const cells = micros.map((each, column) => `${(each / (PIECES[column] ?? 1)).toFixed(1)} µs`);
    console.log(`| ${streamed[row]?.name} | ${cells.join(' | ')} |`);
  }
  await endToEnd(rounds, requests);
}

function inWords(micros: number): string {
  return micros < 1000 ? `${micros.toFixed(0)} µs` : `${(micros / 1000).toFixed(1)} ms`;
}

async function endToEnd(rounds: number, requests: number): Promise<void> {
  const upstream = await startUpstream();
  const load = startLoad();
  const base = `http://127.0.0.1:${upstream.port}/v1`;
  const providers = { a: { kind: 'anthropic', base_url: base, credentials: 'sk-provider' } };
  const tollgate = await startTollgate(upstream.port, { providers, name: 'Envoy + Tollgate, passed on' });
  const plain = await startPlainEnvoy(upstream.port);
  const translated = { ...tollgate, name: 'Envoy + Tollgate, chat → messages', prefix: 'a/' };
  try {
    const comparison = { systems: [plain, tollgate, translated], load, rounds };
    const scenario = { connections: 20, stream: true, prompt: 150 };
    await compare(comparison, { ...scenario, name: '100-chunk stream, 10 ms apart, 20 at a time', requests });
    const small = { connections: 16, stream: false, prompt: 150, requests: requests * 20 };
    await compare(comparison, { ...small, name: 'small JSON, saturated (16 connections)' });
  } finally {
    await tollgate.stop();
    await plain.stop();
    load.stop();
    upstream.stop();
  }
}
