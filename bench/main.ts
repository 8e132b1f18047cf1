import { compare, measure, type Scenario } from './compare.js';
import { residentMebibytes } from './cpu.js';
import { measureFailover } from './failover.js';
import { measureLimiter } from './limiter.js';
import { measureLimits } from './limits.js';
import { measureProfile } from './profile.js';
import { measureRules } from './rules.js';
import { startLoad, startPlainEnvoy, startTollgate, startUpstream } from './systems.js';
import { measureTranslation } from './translate.js';
import { measureTransports } from './transport.js';

/**
 * Envoy with Tollgate against the same Envoy without it, in one run, rounds interleaved. Prints a Markdown table: medians
 * over the rounds of CPU per request by part, and of latency. `--short` for CI, `--rounds N`;
 * `failover` measures a look at the first bytes and the way to a second target instead, `limits` the counters, `limiter` what
 * covers a request, `rules` a whole gateway with 10,000 keys and 1,000 limits, `translate` translation between dialects,
 * `transport` the ways to carry gRPC, `profile` where the service's time goes.
 */

const SCENARIOS: readonly Scenario[] = [
  { name: 'small JSON, saturated (16 connections)', requests: 4000, connections: 16, stream: false, prompt: 150 },
  { name: 'small JSON, one at a time', requests: 500, connections: 1, stream: false, prompt: 150 },
  { name: '200 KB body, 4 connections', requests: 400, connections: 4, stream: false, prompt: 200_000 },
  { name: '100-chunk stream, 10 ms apart, 20 at a time', requests: 80, connections: 20, stream: true, prompt: 150 },
];

const short = process.argv.includes('--short');
if (process.argv.includes('failover')) {
  await measureFailover(short ? 15 : 60);
  process.exit(0);
}
if (process.argv.includes('limits')) {
  await measureLimits(short ? 2000 : 100_000);
  process.exit(0);
}
if (process.argv.includes('limiter')) {
  measureLimiter(short ? 3 : 10);
  process.exit(0);
}
const roundsFlag = process.argv.indexOf('--rounds');
const rounds = roundsFlag > 0 ? Number(process.argv[roundsFlag + 1]) : short ? 1 : 5;

if (process.argv.includes('rules')) {
  await measureRules({ rounds, requests: short ? 500 : 4000 });
  process.exit(0);
}

if (process.argv.includes('translate')) {
  await measureTranslation({ rounds, requests: short ? 20 : 80 });
  process.exit(0);
}

if (process.argv.includes('transport')) {
  await measureTransports({ rounds, share: short ? 0.1 : 1 });
  process.exit(0);
}

if (process.argv.includes('profile')) {
  await measureProfile({ share: short ? 0.1 : 1, top: process.argv.includes('--top') ? 60 : 0 });
  process.exit(0);
}

const upstream = await startUpstream();
const load = startLoad();
const systems = [await startPlainEnvoy(upstream.port), await startTollgate(upstream.port)];
try {
  const comparison = { systems, load, rounds };
  for (const system of systems) await measure(load, system, { ...first(), requests: short ? 300 : 3000 });
  for (const { requests, ...scenario } of SCENARIOS) {
    await compare(comparison, { ...scenario, requests: short ? Math.ceil(requests / 4) : requests });
  }
  for (const system of systems) {
    const memory = Object.entries(system.parts()).map(
      ([part, pid]) => `${part} ${residentMebibytes(pid).toFixed(0)} MiB`,
    );
    console.log(`\nMemory of ${system.name} at the end: ${memory.join(', ')}.`);
  }
} finally {
  for (const system of systems) await system.stop();
  load.stop();
  upstream.stop();
}

function first(): Scenario {
  const [scenario] = SCENARIOS;
  if (!scenario) throw new Error('no scenario');
  return scenario;
}
