/** A client leaves after each event of a stream: what is booked against what the provider wrote. */
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import t from 'tap';
import type { FinalEntry } from '../../src/accounting/ledger/entry.js';
import { type Open, opened } from '../e2e/client.js';
import { type Gateway, startGateway } from '../e2e/harness.js';
import { type Script, type Scripted, startScripted } from '../e2e/scripted.js';
import { eventually } from '../eventually.js';
import { seededRandom } from '../seeded-random.js';
import { finalEntries } from './kills/figures.js';
import { prose } from './kills/prose.js';

const TOKENS = prose(seededRandom(20_260_403), 40);
const PROMPT = prose(seededRandom(20_260_404), 150).join('');
/** What providers count: three for the beginning of the answer, four around the message. */
const INPUT = 3 + 4 + countTokens(PROMPT);
/** Nano-dollars of a token. */
const PRICE = { input: 1_000, output: 2_000 };
/** The most that all streams of one kind together may be booked above the truth. */
const MOST_ABOVE = 1.02;
/** A token that was under way when the client left. */
const UNDER_WAY = 1;
const RESET_MS = 1_000;
const SSE = { 'content-type': 'text/event-stream' };

/** One event of a stream. */
interface Step {
  readonly event: string;
  /** Tokens of the answer in it. */
  readonly tokens: number;
  /** What of it the client can wait for; null = it may never get it. */
  readonly seen: string | null;
  /** The provider has stated its usage here for good. */
  readonly states?: true;
}

interface Kind {
  readonly name: string;
  readonly provider: string;
  readonly path: string;
  readonly body: object;
  readonly steps: readonly Step[];
  /** Usage stands in every event. */
  readonly running?: true;
}

const messages = [{ role: 'user', content: PROMPT }];
const usageOf = (output: number): object => ({
  prompt_tokens: INPUT,
  completion_tokens: output,
  total_tokens: INPUT + output,
});

/** Chat: role, one event per token, finish, usage, `[DONE]`. `running`: usage stands in each event instead. */
function chatSteps(asksUsage: boolean, running: boolean): Step[] {
  const event = (choices: object[], usage?: object): string =>
    `data: ${JSON.stringify({ id: 'c-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...(usage ? { usage } : {}) })}\n\n`;
  const choice = (delta: object, at: number, finish: string | null = null): string =>
    event([{ index: 0, delta: { ...delta, at }, finish_reason: finish }], running ? usageOf(at) : undefined);
  const words = TOKENS.map((content, at) => ({
    event: choice({ content }, at + 1),
    tokens: 1,
    seen: `"at":${at + 1}}`,
  }));
  // A chunk that may have to be taken out is kept back until its fate is known, and so is what stands behind it.
  const after = asksUsage || running;
  const end = choice({}, TOKENS.length, 'stop');
  return [
    { event: choice({ role: 'assistant', content: '' }, 0), tokens: 0, seen: null },
    ...words,
    { event: end, tokens: 0, seen: after ? '"stop"' : null, ...(running ? { states: true as const } : {}) },
    ...(running
      ? []
      : [
          {
            event: event([], usageOf(TOKENS.length)),
            tokens: 0,
            seen: after ? '"usage":{' : null,
            states: true as const,
          },
        ]),
    { event: 'data: [DONE]\n\n', tokens: 0, seen: '[DONE]' },
  ];
}

/** Responses: usage comes with the last event only. */
function responsesSteps(): Step[] {
  const typed = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const response = (status: string, usage: object | null): object => ({
    response: { id: 'resp_1', object: 'response', model: 'm', status, output: [], usage },
  });
  const plain = (type: string, fields: object): Step => ({ event: typed(type, fields), tokens: 0, seen: null });
  const usage = { input_tokens: INPUT, output_tokens: TOKENS.length, total_tokens: INPUT + TOKENS.length };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };
  return [
    plain('response.created', response('in_progress', null)),
    plain('response.output_item.added', { output_index: 0, item }),
    ...TOKENS.map((delta, at) => ({
      event: typed('response.output_text.delta', { item_id: 'msg_1', delta, sequence_number: at }),
      tokens: 1,
      seen: `"sequence_number":${at}}`,
    })),
    { ...plain('response.output_text.done', { text: TOKENS.join('') }), seen: 'output_text.done' },
    { ...plain('response.output_item.done', { item }), seen: 'output_item.done' },
    { event: typed('response.completed', response('completed', usage)), tokens: 0, seen: 'completed', states: true },
  ];
}

const chat = { path: '/v1/chat/completions', provider: 'p' };
const KINDS: readonly Kind[] = [
  { ...chat, name: 'chat', body: { messages }, steps: chatSteps(false, false) },
  {
    ...chat,
    name: 'chat, usage asked for',
    body: { messages, stream_options: { include_usage: true } },
    steps: chatSteps(true, false),
  },
  {
    ...chat,
    name: 'running usage',
    running: true,
    provider: 'running',
    body: { messages },
    steps: chatSteps(false, true),
  },
  { name: 'responses', provider: 'p', path: '/v1/responses', body: { input: PROMPT }, steps: responsesSteps() },
];

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  gateway = await startGateway(t, {
    config: {
      providers: {
        p: { kind: 'openai', base_url: provider.baseUrl, credentials: 'sk-provider' },
        running: { kind: 'perplexity', base_url: provider.baseUrl, credentials: 'sk-provider' },
      },
      prices: [{ model: '*', input: PRICE.input / 1_000, output: PRICE.output / 1_000 }],
    },
  });
  await eventually('the tokenizer is loaded, which begins when it is first needed', countsTokens);
});

/** Words are counted before, which is more than the one token. */
async function countsTokens(): Promise<boolean> {
  const { body, steps } = KINDS[0] ?? { body: {}, steps: [] };
  provider.on('gpt-warm', { headers: SSE, chunks: steps.slice(0, 2).map(({ event }) => event) });
  const metadata = { 'x-tollgate-metadata': JSON.stringify({ user: 'warm' }) };
  await gateway.post(chat.path, { model: 'p/gpt-warm', stream: true, ...body }, metadata);
  await gateway.idle();
  await gateway.settled();
  return finalsOf('warm').at(-1)?.usage?.output === 1;
}

/** A stream of which the provider has written so many events. */
interface Cut {
  readonly events: number;
  readonly tokens: number;
  readonly states: boolean;
  readonly answer: Promise<Open | null>;
  readonly leave: () => void;
}

function open(kind: Kind, events: number): Cut {
  const model = `gpt-${KINDS.indexOf(kind)}-${events}`;
  const script: Script = { headers: SSE, chunks: kind.steps.map(({ event }) => event), hold: events };
  provider.on(model, script);
  const written = kind.steps.slice(0, events);
  const aborting = new AbortController();
  const answer = opened(gateway.url + kind.path, {
    headers: { authorization: `Bearer ${gateway.key}`, 'x-tollgate-metadata': JSON.stringify({ user: model }) },
    body: JSON.stringify({ model: `${kind.provider}/${model}`, stream: true, ...kind.body }),
    signal: aborting.signal,
  });
  return {
    events,
    tokens: written.reduce((sum, step) => sum + step.tokens, 0),
    states: written.some((step) => step.states === true),
    answer: answer.catch(() => null),
    leave: () => aborting.abort(),
  };
}

/** Resolves when the client has the last thing that it can have of what was written. */
async function hasSeen(kind: Kind, cut: Cut): Promise<void> {
  const last = kind.steps.slice(0, cut.events).findLast(({ seen }) => seen !== null);
  if (last?.seen) await (await cut.answer)?.until(last.seen);
}

function finalsOf(user: string): FinalEntry[] {
  return finalEntries(gateway.ledger()).filter((entry) => entry.user === user);
}

/** Running numbers stand as they are, or are completed by counting; without any all is counted. */
function sourceOf(kind: Kind, cut: Cut, output: number): string {
  if (kind.running !== true || cut.events === 0) return 'estimated';
  return output === cut.tokens ? 'provider' : 'mixed';
}

function costOf(input: number, output: number): number {
  return input * PRICE.input + output * PRICE.output;
}

for (const kind of KINDS) {
  t.test(`trap 19: ${kind.name}, left after every event`, async (t) => {
    const before = provider.left;
    const cuts = Array.from({ length: kind.steps.length + 1 }, (_, events) => open(kind, events));
    await provider.held(cuts.length);
    await Promise.all(cuts.map((cut) => hasSeen(kind, cut)));
    // Of what the client does not get nobody tells: one look at the metrics lets the service read on.
    await gateway.metrics();

    const began = performance.now();
    for (const cut of cuts) cut.leave();
    await provider.abandoned(before + cuts.length);
    const resetMs = Math.round(performance.now() - began);
    t.ok(resetMs < RESET_MS, `the provider sees that nobody listens: ${resetMs} ms`);
    await gateway.idle();
    await gateway.settled();

    const finals = Map.groupBy(finalEntries(gateway.ledger()), (entry) => entry.user);
    let [truth, booked] = [0, 0];
    for (const cut of cuts) {
      const user = `gpt-${KINDS.indexOf(kind)}-${cut.events}`;
      const [entry, ...others] = finals.get(user) ?? [];
      t.same(others, [], `${cut.events}: one entry`);
      const { input = 0, output = 0 } = entry?.usage ?? {};
      const source = entry?.usage_source;
      t.ok(input >= INPUT && output >= cut.tokens, `${cut.events}: ${input}/${INPUT} in, ${output}/${cut.tokens} out`);
      t.ok(output <= cut.tokens + UNDER_WAY, `${cut.events}: ${output} for ${cut.tokens} tokens`);
      t.equal(entry?.cost_nano_usd, costOf(input, output), `${cut.events}: costs what it used`);
      if (cut.states)
        t.match({ source, output }, { source: 'provider', output: cut.tokens }, `${cut.events}: as stated`);
      else t.equal(source, sourceOf(kind, cut, output), `${cut.events}: ${source}`);
      truth += costOf(INPUT, cut.tokens);
      booked += costOf(input, output);
    }
    t.ok(booked >= truth && booked <= truth * MOST_ABOVE, `${booked} for ${truth}: ${(booked / truth).toFixed(4)}`);
    t.comment(
      `${cuts.length} streams left: ${(booked / truth).toFixed(4)} of the truth booked, reset within ${resetMs} ms`,
    );
  });

  t.test(`${kind.name}, to its end`, async (t) => {
    const user = `gpt-${KINDS.indexOf(kind)}-whole`;
    provider.on(user, { headers: SSE, chunks: kind.steps.map(({ event }) => event) });
    const metadata = { 'x-tollgate-metadata': JSON.stringify({ user }) };
    const answer = await gateway.post(
      kind.path,
      { model: `${kind.provider}/${user}`, stream: true, ...kind.body },
      metadata,
    );
    t.ok(answer.complete);
    await gateway.idle();
    await gateway.settled();
    t.match(finalsOf(user), [
      {
        usage: { input: INPUT, output: TOKENS.length },
        usage_source: 'provider',
        cost_nano_usd: costOf(INPUT, TOKENS.length),
      },
    ]);
  });
}
