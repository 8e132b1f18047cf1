import { createHash } from 'node:crypto';
import { cpuOf, type Scenario } from '../compare.js';
import { median } from '../cpu.js';
import { EVERYTHING, type System, startTollgate, type TollgateSections } from '../systems.js';
import { type Outcome, progress, SMALL, type Stage, warmUp } from './stage.js';
import { table } from './table.js';

const KEYS = 10_000;
const LIMITS = 1000;
const PROVIDERS = 100;
const MANY = { length: KEYS };

const secretOf = (_: unknown, at: number): string => `sk-bench-one-of-many-${at}`;
const providerName = (at: number): string => `provider${at}`;

/** One gateway that has many of something, and requests that use all of them. */
interface Variant {
  readonly name: string;
  sections(upstream: number): TollgateSections;
  readonly asked: Partial<Scenario>;
}

const VARIANTS: readonly Variant[] = [
  {
    name: '10,000 keys, used in turn',
    sections: () => ({ keys: Array.from(MANY, secretOf).map(keyOf) }),
    asked: { keys: Array.from(MANY, secretOf) },
  },
  { name: '1,000 limits', sections: () => ({ limits: manyLimits() }), asked: {} },
  {
    name: '100 providers, used in turn',
    sections: (upstream) => ({ providers: manyProviders(upstream) }),
    asked: { models: Array.from({ length: PROVIDERS }, (_, at) => `${providerName(at)}/bench`) },
  },
];

/** What a request costs with many keys, limits, providers, as a multiple of what it costs with one of each. */
export async function measureFlatness(stage: Stage): Promise<Outcome> {
  const rows: string[][] = [];
  const data: Record<string, object> = {};
  for (const variant of VARIANTS) {
    const more = { ...EVERYTHING, ...variant.sections(stage.upstream.port), name: variant.name };
    const started = await startTollgate(stage.upstream.port, more);
    // Models of a variant name their provider themselves.
    const many: System = variant.asked.models ? { ...started, prefix: '' } : started;
    try {
      await warmUp(stage.load, started, stage.options.short);
      progress(variant.name);
      const requests = stage.requests(SMALL.requests);
      const [one = [], all = []] = await stage.interleaved([stage.tollgate, many], (system) =>
        system === many ? { ...SMALL, requests, ...variant.asked } : { ...SMALL, requests },
      );
      const [before, after] = [median(one.map(cpuOf)), median(all.map(cpuOf))];
      rows.push([
        variant.name,
        `${before.toFixed(0)} µs`,
        `${after.toFixed(0)} µs`,
        `${(after / before).toFixed(2)} ×`,
      ]);
      data[variant.name] = { one: before, many: after };
    } finally {
      await started.stop();
    }
  }
  const columns = ['', 'one key, provider, two limits', 'many', 'many / one'];
  return { section: `### Cost by number of rules: CPU per small request\n\n${table(columns, rows)}`, data };
}

function keyOf(secret: string, at: number): object {
  const hash = `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  return { id: `key${at}`, hash, labels: { team: 'bench' } };
}

function manyLimits(): object[] {
  const own = EVERYTHING.limits ?? [];
  const others = Array.from({ length: LIMITS - own.length }, (_, at) => ({
    name: `budget-${at}`,
    when: `key.labels.team == "team-${at}"`,
    cost: { max: 1_000_000, window: 'month' },
  }));
  return [...own, ...others];
}

function manyProviders(upstream: number): Record<string, object> {
  const provider = {
    kind: 'openai-compatible',
    base_url: `http://127.0.0.1:${upstream}/v1`,
    credentials: 'sk-provider',
  };
  return Object.fromEntries(Array.from({ length: PROVIDERS }, (_, at) => [providerName(at), provider]));
}
