import t, { type Test } from 'tap';
import type { Turn } from '../strict-provider/script.js';
import { type StrictProvider, startStrictProvider } from '../strict-provider/strict-provider.js';
import { AGENTS, type Task } from './dialects/agents.js';
import { replayProviders } from './dialects/replay-providers.js';
import { startGateway } from './harness.js';

// Conversations of five turns with tools, driven by official clients in a loop, with a provider of another dialect that takes
// only what the published API takes. What it gave, and what the app sent, is what it must find in the last request.

const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const CHART = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
const SIGNATURES = ['c2lnbmF0dXJlIG9uZSBvZiBtYW55', 'c2lnbmF0dXJlIHR3byBvZiBtYW55', 'c2lnbmF0dXJlIDMgb2YgbWFueSEh'];

const thought = (index: number) => ({ text: `Thought ${index}: Grüße – 東京?`, signature: SIGNATURES[index] ?? '' });

/** Two questions, five turns. The prefix is how the provider begins its ids. */
function turns(prefix: string): readonly Turn[] {
  const call = (id: string, name: string, given: Readonly<Record<string, unknown>>) => ({
    id: `${prefix}${id}`,
    name,
    arguments: given,
  });
  return [
    {
      thought: thought(0),
      text: 'Let me look.',
      calls: [
        call('A1', 'get_weather', { city: 'München' }),
        call('A2', 'get_weather', { city: '東京', days: [1, { deep: '"quoted"\n' }] }),
      ],
    },
    { thought: thought(1), text: '', calls: [call('B1', 'draw_chart', { values: [1.5, -2], title: 'Ü 🌡' })] },
    { thought: null, text: 'Warm.', calls: [] },
    { thought: thought(2), text: '', calls: [call('C1', 'get_weather', {})] },
    { thought: null, text: 'Done.', calls: [] },
  ];
}

interface Pair {
  readonly client: keyof typeof AGENTS;
  readonly provider: string;
  readonly model: string;
  readonly prefix: string;
  readonly signed: boolean;
}

const ANTHROPIC = { provider: 'anthropic', model: 'claude-sonnet-4-5', prefix: 'toolu_01', signed: true };
const GEMINI = { provider: 'gemini', model: 'gemini-3-pro-preview', prefix: 'call-', signed: true };
const BEDROCK = {
  provider: 'bedrock',
  model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  prefix: 'tooluse_',
  signed: true,
};
const CHAT = { provider: 'moonshot', model: 'gpt-5', prefix: 'call_', signed: false };

const PAIRS: readonly Pair[] = [
  { client: 'chat', ...ANTHROPIC },
  { client: 'chat', ...GEMINI },
  { client: 'chat', ...BEDROCK },
  { client: 'messages', ...CHAT },
  { client: 'messages', ...GEMINI },
  { client: 'responses', ...ANTHROPIC },
  { client: 'responses', ...GEMINI },
  { client: 'responses', ...BEDROCK },
  { client: 'responses', ...CHAT },
  { client: 'gemini', ...ANTHROPIC },
  { client: 'gemini', ...BEDROCK },
  { client: 'gemini', ...CHAT },
];

/** The chart is an image, where the client's dialect has a place for one. */
function tool(client: Pair['client'], asked: unknown[]): Task['tool'] {
  return (name, given) => {
    asked.push({ name, given });
    const image = name === 'draw_chart' && client !== 'chat' ? CHART : null;
    return { text: `${name} says ${JSON.stringify(given)}`, image };
  };
}

function checkLast(t: Test, provider: StrictProvider, pair: Pair): void {
  const script = turns(pair.prefix);
  const calls = script.flatMap((turn) => turn.calls);
  const last = provider.seen.at(-1);
  t.same(provider.faults, [], 'every request is valid');
  t.equal(provider.seen.length, script.length);
  // Google tells calls apart by their order, and some of its servers refuse ids.
  const ids = pair.provider === 'gemini' ? calls.map(() => undefined) : calls.map(({ id }) => id);
  t.same(
    last?.calls,
    calls.map((call, index) => ({ ...call, id: ids[index] })),
    'ids, names and arguments of calls',
  );
  const results = calls.map((call, index) => ({
    id: ids[index],
    text: `${call.name} says ${JSON.stringify(call.arguments)}`,
  }));
  // Chat completions have no images in results: they follow, and the result says so.
  const found = last?.results.map(({ id, text }) => ({ id, text: text.replace(/\n\[image \d+: see .*\]$/, '') }));
  t.same(found, results, 'results of tools');
  t.same(last?.images, pair.client === 'chat' ? [IMAGE] : [IMAGE, CHART], 'images');
  if (pair.signed) t.same(last?.signatures, SIGNATURES, 'signatures of thoughts');
}

t.test('conversations with tools', { timeout: 120_000 }, async (t) => {
  const provider = await startStrictProvider();
  t.teardown(() => provider.close());
  const names = new Set(PAIRS.map((pair) => pair.provider));
  const gateway = await startGateway(t, { config: { providers: replayProviders(names, provider.port) } });

  for (const pair of PAIRS) {
    for (const stream of [false, true]) {
      t.test(`${pair.client} to ${pair.provider}, ${stream ? 'streamed' : 'whole'}`, async (t) => {
        provider.play(turns(pair.prefix));
        const asked: unknown[] = [];
        const texts = await AGENTS[pair.client]({
          model: `${pair.provider}/${pair.model}`,
          stream,
          url: gateway.url,
          key: gateway.key,
          image: IMAGE,
          questions: ['What is the weather?', 'And at home?'],
          thinks: pair.signed,
          tool: tool(pair.client, asked),
        }).catch((error: unknown) => [String(error), ...provider.faults]);
        t.same(texts, ['Warm.', 'Done.']);
        const calls = turns(pair.prefix).flatMap((turn) => turn.calls);
        t.same(
          asked,
          calls.map((call) => ({ name: call.name, given: call.arguments })),
          'what the app was asked',
        );
        checkLast(t, provider, pair);
      });
    }
  }
});
