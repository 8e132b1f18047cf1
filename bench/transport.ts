import { compare, measure, type Scenario } from './compare.js';
import { residentMebibytes } from './cpu.js';
import { type System, startLoad, startPlainEnvoy, startTollgate, startUpstream } from './systems.js';

const SCENARIOS: readonly Scenario[] = [
  { name: 'small JSON, saturated (32 connections)', requests: 3000, connections: 32, stream: false, prompt: 150 },
  {
    name: '30 events, no pause (32 connections)',
    requests: 1000,
    connections: 32,
    stream: true,
    prompt: 150,
    model: 'quick',
  },
  { name: '100 events, 10 ms apart (20 at a time)', requests: 40, connections: 20, stream: true, prompt: 150 },
  { name: '200 KB body, 4 connections', requests: 300, connections: 4, stream: false, prompt: 200_000 },
  { name: 'small JSON, one at a time', requests: 400, connections: 1, stream: false, prompt: 150 },
];

/** `npm run bench -- transport`: the same gateway over each transport, rounds interleaved. @param share of the requests */
export async function measureTransports({
  rounds,
  share,
}: {
  readonly rounds: number;
  readonly share: number;
}): Promise<void> {
  const upstream = await startUpstream();
  const load = startLoad();
  const systems: System[] = [await startPlainEnvoy(upstream.port)];
  try {
    for (const name of ['grpc-js', 'http2', 'net']) {
      systems.push(await startTollgate(upstream.port, { name, environment: { TOLLGATE_TRANSPORT: name } }));
    }
    const scenarios = SCENARIOS.map((each) => ({ ...each, requests: Math.ceil(each.requests * share) }));
    for (const scenario of scenarios) for (const system of systems) await measure(load, system, scenario);
    for (const scenario of scenarios) await compare({ systems, load, rounds }, scenario);
    for (const { name, parts } of systems.slice(1)) {
      console.log(
        `\nMemory of the service over ${name} at the end: ${residentMebibytes(parts()['service'] ?? 0).toFixed(0)} MiB.`,
      );
    }
  } finally {
    for (const system of systems) await system.stop();
    load.stop();
    upstream.stop();
  }
}
