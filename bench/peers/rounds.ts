import { type Comparison, measure, type Sample, type Scenario } from '../compare.js';
import type { Contender } from './contender.js';
import { WRONG_KEY } from './prove.js';
import type { Traffic } from './traffic.js';

const PROMPT = 150;

/** Requests per second of each system at saturation, by kind of answer. */
export interface Pace {
  readonly json: number;
  readonly stream: number;
}

type Load = Comparison['load'];

/** Runs until it is warm. @returns what it can answer per second then */
export async function warmUp(load: Load, contender: Contender, seconds: number): Promise<Pace> {
  const pace = { json: 0, stream: 0 };
  for (const kind of ['json', 'stream'] as const) {
    const connections = kind === 'json' ? 32 : 16;
    let requests = connections * 2;
    // A cold system tells little about a warm one: from a short run to a long one.
    for (const part of [0.2, 0.8, 0]) {
      const { rate } = await measure(load, contender.system, {
        name: `warm-up, ${kind}`,
        stream: kind === 'stream',
        model: kind === 'stream' ? 'quick' : 'bench',
        connections,
        requests,
        prompt: PROMPT,
      });
      pace[kind] = rate;
      requests = Math.max(requests, Math.round(rate * seconds * part));
    }
  }
  return pace;
}

export interface Entry {
  readonly contender: Contender;
  readonly pace: Pace;
}

/** Samples of each system, round by round: the n-th ones of all were taken one after the other. */
export type Samples = ReadonlyMap<Contender, readonly Sample[]>;

/** All systems that suit in turn, round after round, so that a busy machine hurts all alike. */
export async function runRounds(
  load: Load,
  entries: readonly Entry[],
  traffic: Traffic,
  rounds: number,
): Promise<Samples> {
  const suited = entries.filter(({ contender }) => traffic.suits(contender));
  const samples = new Map<Contender, Sample[]>(suited.map(({ contender }) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { contender, pace } of suited) {
      const scenario = scenarioOf(traffic, contender, pace);
      samples.get(contender)?.push(await measure(load, contender.system, scenario));
    }
  }
  return samples;
}

function scenarioOf(traffic: Traffic, { refusals }: Contender, pace: Pace): Scenario {
  const { name, stream, connections, rate, seconds, wrongKey } = traffic;
  const perSecond = rate ?? (stream ? pace.stream : pace.json);
  return {
    name,
    stream,
    connections,
    prompt: PROMPT,
    model: stream ? 'quick' : 'bench',
    requests: Math.max(connections, Math.round(perSecond * seconds)),
    ...(rate === null ? {} : { rate }),
    ...(wrongKey ? { key: WRONG_KEY, status: refusals } : {}),
  };
}
