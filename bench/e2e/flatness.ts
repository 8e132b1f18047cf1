import { createHash } from 'node:crypto';
import { cpuOf, type Sample, type Scenario } from '../compare.js';
import { median } from '../cpu.js';
import { progress } from '../progress.js';
import { EVERYTHING, type System, startPlainEnvoy, startTollgate, type TollgateSections } from '../systems.js';
import { type Outcome, SMALL, type Stage, warmUp } from './stage.js';
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
const COLUMNS = ['', 'one: Envoy', 'service', 'many: Envoy', 'service', 'many / one'];

/**
 * What a request costs with many keys, limits, providers, as a multiple of what it costs with one of each. Providers are
 * connection pools of Envoy: what those cost without us is the last row.
 */
export async function measureFlatness(stage: Stage): Promise<Outcome> {
  const rows: string[][] = [];
  const data: Record<string, object> = {};
  for (const { name, sections, asked } of VARIANTS) {
    progress(name);
    const started = await startTollgate(stage.upstream.port, {
      ...EVERYTHING,
      ...sections(stage.upstream.port),
      name,
    });
    // Models of a variant name their provider themselves.
    const many: System = asked.models ? { ...started, prefix: '' } : started;
    const figures = await sideBySide(stage, stage.tollgate, { many, asked });
    rows.push([name, ...cellsOf(figures)]);
    data[name] = figures;
  }
  const spread = await startPlainEnvoy(stage.upstream.port, PROVIDERS);
  const figures = await sideBySide(stage, stage.plain, { many: spread, asked: {} });
  rows.push([`plain Envoy, ${PROVIDERS} clusters`, ...cellsOf(figures)]);
  data[spread.name] = figures;
  const title =
    '### Cost by number of rules: µs of CPU per small request, one key, one provider and two limits against many';
  return { section: `${title}\n\n${table(COLUMNS, rows)}`, data };
}

interface Figures {
  readonly one: readonly Sample[];
  readonly many: readonly Sample[];
}

/** Warms `many` with its own traffic, so that its pools and caches are those of use; stops it at the end. */
async function sideBySide(
  stage: Stage,
  one: System,
  { many, asked }: { readonly many: System; readonly asked: Partial<Scenario> },
): Promise<Figures> {
  const small = { ...SMALL, requests: stage.requests(SMALL.requests) };
  try {
    await warmUp(stage.load, many, { short: stage.options.short, asked });
    const [before = [], after = []] = await stage.interleaved([one, many], (system) =>
      system === many ? { ...small, ...asked } : small,
    );
    return { one: before, many: after };
  } finally {
    await many.stop();
  }
}

function cellsOf({ one, many }: Figures): string[] {
  const partsOf = (samples: readonly Sample[]): string[] =>
    ['envoy', 'service'].map((part) => median(samples.map(({ cpu }) => cpu[part] ?? 0)).toFixed(0));
  const ratio = median(many.map(cpuOf)) / median(one.map(cpuOf));
  return [...partsOf(one), ...partsOf(many), `${ratio.toFixed(2)} ×`];
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
