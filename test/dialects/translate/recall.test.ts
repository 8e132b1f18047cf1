import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { GatewayError } from '../../../src/dialects/error.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { allTranslations } from '../../../src/dialects/translate/registry.js';
import type { AnswerTranslation, PreparedCall, Translation } from '../../../src/dialects/translate/translation.js';
import { contextFor } from './unary-goldens.js';

// A call that was written in another thread: what its answer needs of the request comes over as data, and reads the same.

const FOLDER = 'test/golden/translate';

type Event = JsonObject | readonly [type: string, data: JsonObject];

interface Golden {
  readonly model?: string;
  readonly request: JsonObject;
  readonly answer?: JsonObject;
  readonly events?: readonly Event[];
}

/** Requests of clients and answers of providers, by the wire that they are in. */
class Samples {
  readonly requests = new Map<Wire, Golden[]>();
  readonly answers = new Map<Wire, JsonObject[]>();
  readonly streams = new Map<Wire, (readonly Event[])[]>();

  add({ from, to }: Translation, golden: Golden): void {
    put(this.requests, from, golden);
    if (golden.answer) put(this.answers, to, golden.answer);
    if (golden.events) put(this.streams, to, golden.events);
  }
}

function put<Value>(map: Map<Wire, Value[]>, wire: Wire, value: Value): void {
  map.set(wire, [...(map.get(wire) ?? []), value]);
}

async function readSamples(): Promise<Samples> {
  const samples = new Samples();
  for (const folder of readdirSync(FOLDER)) {
    const module = (await import(`../../../src/dialects/translate/${folder}/pair.js`)) as Record<string, Translation>;
    const [pair] = Object.values(module);
    if (!pair) throw new Error(`no pair in ${folder}`);
    for (const file of readdirSync(`${FOLDER}/${folder}`))
      samples.add(pair, JSON.parse(readFileSync(`${FOLDER}/${folder}/${file}`, 'utf8')) as Golden);
  }
  return samples;
}

function prepare(pair: Translation, { request, model }: Golden): PreparedCall | null {
  try {
    return pair.prepare(request, contextFor(model ?? 'gpt-5'));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return null;
  }
}

function streamed(call: AnswerTranslation, events: readonly Event[]): readonly unknown[] {
  const written: unknown[] = [];
  const out = { event: (type: string, data: JsonObject) => void written.push([type, data]), done: () => {} };
  const translator = call.stream();
  for (const event of events) {
    if (isNamed(event)) translator.event(event[0], event[1], out);
    else translator.event('', event, out);
  }
  return [...written, translator.end(out)];
}

function isNamed(event: Event): event is readonly [string, JsonObject] {
  return Array.isArray(event);
}

t.test('an answer reads the same from the memory of its request', async (t) => {
  const samples = await readSamples();
  for (const pair of allTranslations()) {
    const { from, to } = pair;
    const [answers, streams] = [samples.answers.get(to) ?? [], samples.streams.get(to) ?? []];
    let compared = 0;
    for (const golden of samples.requests.get(from) ?? []) {
      const call = prepare(pair, golden);
      if (call === null) continue;
      const recalled = pair.recall(structuredClone(call.memory), contextFor(golden.model ?? 'gpt-5'));
      for (const answer of answers) t.same(recalled.answer(answer), call.answer(answer), `${from} to ${to}`);
      for (const events of streams) t.same(streamed(recalled, events), streamed(call, events), `${from} to ${to}`);
      compared += answers.length + streams.length;
    }
    if (from !== 'anthropic-count-tokens') t.ok(compared > 0, `${from} to ${to} is compared`);
  }
});
