import { setTimeout as wait } from 'node:timers/promises';
import { type Comparison, measure, type Sample, type Scenario } from '../compare.js';
import type { Contender } from './contender.js';
import { WRONG_KEY } from './prove.js';
import type { Traffic } from './traffic.js';

const PROMPT = 150;
/** What a gateway writes after its last answer, such as logs and records, is part of what an answer costs. */
const AFTERWARDS_MS = 300;

/** A slow system gets more time, for as many requests as its figures need. */
const SLOW = 2;

/** Requests per second of each system at saturation, by kind of answer. */
export interface Pace {
  readonly json: number;
  readonly stream: number;
}

type Load = Comparison['load'];

/** Runs until it is warm. @returns what it can answer per second then */
export async function warmUp(load: Load, contender: Contender, seconds: number): Promise<Pace> {
  return {
    json: await warmRate(load, contender, { stream: false, connections: 32, seconds }),
    stream: await warmRate(load, contender, { stream: true, connections: 16, seconds: seconds / 2 }),
  };
}

async function warmRate(
  load: Load,
  { system }: Contender,
  { stream, connections, seconds }: Pick<Traffic, 'stream' | 'connections' | 'seconds'>,
): Promise<number> {
  const scenario = { name: 'warm-up', stream, connections, model: stream ? 'quick' : 'bench', prompt: PROMPT };
  const few = connections * 2;
  let { rate } = await measure(load, system, { ...scenario, requests: few });
  // A cold system tells little about a warm one: from a short run to a long one.
  for (const share of [0.2, 0.8]) {
    const requests = Math.max(few, Math.round(rate * seconds * share));
    ({ rate } = await measure(load, system, { ...scenario, requests }));
  }
  return rate;
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
      const timed = traffic.rate === null ? withAftermath(load) : load;
      samples.get(contender)?.push(await measure(timed, contender.system, scenario));
    }
  }
  return samples;
}

/** CPU is read when a run has returned. */
function withAftermath(load: Load): Load {
  return {
    async run(order) {
      const result = await load.run(order);
      await wait(AFTERWARDS_MS);
      return result;
    },
  };
}

function scenarioOf(traffic: Traffic, { refusals, quick }: Contender, pace: Pace): Scenario {
  const { name, stream, connections, rate, seconds, wrongKey } = traffic;
  const perSecond = rate ?? (stream ? pace.stream : pace.json);
  return {
    name,
    stream,
    connections,
    prompt: PROMPT,
    model: stream ? 'quick' : 'bench',
    requests: Math.max(connections, Math.round(perSecond * seconds * (rate === null && !quick ? SLOW : 1))),
    ...(rate === null ? {} : { rate }),
    ...(wrongKey ? { key: WRONG_KEY, status: refusals } : {}),
  };
}
