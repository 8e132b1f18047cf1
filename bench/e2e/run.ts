import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { readTransport } from '../../src/extproc/transport/choose.js';
import { measure } from '../compare.js';
import { failover } from '../failover.js';
import type { Options } from '../options.js';
import { progress } from '../progress.js';
import { envoyPath } from '../systems.js';
import { measureFlatness } from './flatness.js';
import { measureLatency } from './latency.js';
import { measureMemory } from './memory.js';
import { measureOpenStreams } from './open-streams.js';
import { measureSlowStreams } from './slow-streams.js';
import { type Outcome, openStage, SMALL, type Stage } from './stage.js';
import { table, tableRow } from './table.js';
import { runTraffic, TRAFFIC, TRAFFIC_COLUMNS } from './traffic.js';

interface Named {
  readonly shows: string;
  run(stage: Stage): Promise<Outcome>;
}

/** In the order in which they run: what fills memory comes last. */
const SCENARIOS: Readonly<Record<string, Named>> = {
  ...Object.fromEntries(
    Object.entries(TRAFFIC).map(([name, traffic]) => [
      name,
      { shows: traffic.title, run: (stage: Stage) => runTraffic(stage, traffic) },
    ]),
  ),
  latency: { shows: 'added latency at a quarter of saturation, p50 and p99', run: measureLatency },
  failover: {
    shows: 'first byte from a second target after a refused connection, or a 503',
    run: ({ options }) => failover(options.short ? 10 : 60),
  },
  flat: { shows: 'cost with 10,000 keys, 1,000 limits, 100 providers', run: measureFlatness },
  slow: { shows: '1,000 slow streams: how late events are', run: measureSlowStreams },
  open: { shows: '10,000 open streams: memory', run: measureOpenStreams },
  memory: { shows: 'memory over 100,000 requests (--requests N)', run: measureMemory },
};

/** `npm run bench:e2e -- [SCENARIO …]`. @throws Error for a scenario that is none */
export async function measureEndToEnd(options: Options): Promise<void> {
  const names = options.names.length > 0 ? options.names : Object.keys(SCENARIOS);
  const unknown = names.filter((name) => !(name in SCENARIOS));
  if (unknown.length > 0) throw new Error(`no scenario is called ${unknown.join(', ')}\n\n${scenarioHelp()}`);
  const stage = await openStage(options);
  try {
    const facts = await describe(stage);
    console.log(facts.join('\n'));
    const outcomes: Record<string, Outcome> = {};
    for (const name of names) {
      const begun = performance.now();
      progress(`${name}: ${SCENARIOS[name]?.shows}`);
      const outcome = await attempt(name, stage);
      if (outcome) print(outcome, Object.values(outcomes).at(-1));
      if (outcome) outcomes[name] = outcome;
      progress(`${name} took ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    }
    save(facts, outcomes, options.value('json'));
  } finally {
    await stage.close();
  }
}

export function scenarioHelp(): string {
  return Object.entries(SCENARIOS)
    .map(([name, { shows }]) => `  ${name.padEnd(10)}${shows}`)
    .join('\n');
}

/** One that fails is told at the end, so that it does not take the others with it. */
async function attempt(name: string, stage: Stage): Promise<Outcome | undefined> {
  try {
    return await SCENARIOS[name]?.run(stage);
  } catch (problem) {
    process.exitCode = 1;
    const message = problem instanceof Error ? problem.message : String(problem);
    return { section: `### ${name}: failed\n\n${message}`, data: { failed: message } };
  }
}

/** At once, so that a long run that is cut has shown what it found; a row needs its table's head unless it follows one. */
function print({ row, section }: Outcome, before: Outcome | undefined): void {
  if (row) console.log(before?.row ? tableRow(row) : `\n${table(TRAFFIC_COLUMNS, [row])}`);
  if (section) console.log(`\n${section}`);
}

function save(facts: readonly string[], outcomes: Readonly<Record<string, Outcome>>, file: string | null): void {
  if (file === null) return;
  const data = Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, outcome.data]));
  writeFileSync(file, `${JSON.stringify({ facts, ...data }, null, 2)}\n`);
}

/** What the figures hold for. */
async function describe(stage: Stage): Promise<string[]> {
  const direct = { ...stage.plain, name: 'the provider itself' };
  const { rate, generator } = await measure(
    stage.load,
    { ...direct, port: stage.upstream.port, parts: () => ({}) },
    { ...SMALL, requests: 20_000 },
  );
  const processors = cpus();
  const load = loadavg()[0] ?? 0;
  return [
    `- ${new Date().toISOString().slice(0, 16)}Z, commit ${said('git', ['rev-parse', '--short', 'HEAD'])}, ${stage.rounds} rounds${stage.options.short ? ', short' : ''}`,
    `- ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()}, load average ${load.toFixed(1)}`,
    `- Envoy ${/\/(\d+\.\d+\.\d+)\//.exec(said(envoyPath(), ['--version']))?.[1] ?? 'unknown'}, one worker; Node ${process.versions.node}, one service process, transport ${readTransport(process.env['TOLLGATE_TRANSPORT'])}`,
    `- Provider and load generator alone: ${rate.toFixed(0)} small requests/s, ${generator.cpu.toFixed(0)} µs of the generator each`,
  ];
}

function said(command: string, words: readonly string[]): string {
  try {
    return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
