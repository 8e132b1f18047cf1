import { fieldOf } from './raw-view.js';

/** One deployment of LiteLLM as a target of ours. */
export interface ImportedTarget {
  readonly name: string;
  /** `weight`, `rpm` and `tpm` as given: LiteLLM shares requests out by the first of them that is used. */
  readonly shares: Readonly<Record<string, number>>;
  /** `response` and `first_token`, in our words. */
  readonly clocks: Readonly<Record<string, string>>;
}

/** A name that apps ask for, as it is collected. */
export interface ImportedModel {
  /** Deployments of the same `model_name`. */
  readonly own: readonly ImportedTarget[];
  /** Targets of the models that it falls back to, in order. */
  readonly fallbacks: readonly ImportedTarget[];
  /** Retries after the first try. */
  readonly retries: number | null;
  /** Time-outs of the whole proxy, in our words. */
  readonly clocks: Readonly<Record<string, string>>;
}

export const SHARES = ['weight', 'rpm', 'tpm'] as const;

const STRATEGIES: Readonly<Record<string, string>> = {
  'simple-shuffle': 'weighted',
  'latency-based-routing': 'least_latency',
};

/** Our `balance` for a `routing_strategy`; null when we have none like it. */
export function balanceOf(strategy: string): string | null {
  return STRATEGIES[strategy] ?? null;
}

/** `shares`, `clocks` of one deployment's `litellm_params`. */
export function importedTarget(name: string, parameters: unknown): ImportedTarget {
  const shares = SHARES.flatMap((share) => {
    const value = fieldOf(parameters, share);
    return typeof value === 'number' && value >= 0 ? [[share, value]] : [];
  });
  return { name, shares: Object.fromEntries(shares), clocks: clocksOf(parameters) };
}

/** `timeout` and `stream_timeout`, seconds there, in our words. */
export function clocksOf(section: unknown): Readonly<Record<string, string>> {
  const response = seconds(fieldOf(section, 'timeout') ?? fieldOf(section, 'request_timeout'));
  const firstToken = seconds(fieldOf(section, 'stream_timeout'));
  return {
    ...(response === null ? {} : { response }),
    ...(firstToken === null ? {} : { first_token: firstToken }),
  };
}

function seconds(value: unknown): string | null {
  return typeof value === 'number' && value > 0 ? `${value}s` : null;
}

/** One entry of our `models`. */
export function modelEntry(model: ImportedModel, balance: string): Readonly<Record<string, unknown>> {
  const names = new Set(model.own.map(({ name }) => name));
  const fallbacks = model.fallbacks.filter(({ name }) => !names.has(name));
  const all = [...model.own, ...fallbacks];
  const isAlone = all.length === 1;
  const isBalanced = model.own.length > 1;
  const weights = isBalanced && balance === 'weighted' ? [...weightsOf(model.own), ...fallbacks.map(() => 0)] : [];
  const targets = all.map(({ name, clocks }, index) => {
    const weight = weights[index] ?? 1;
    const hasClocks = !isAlone && Object.keys(clocks).length > 0;
    if (weight === 1 && !hasClocks) return name;
    return { model: name, ...(weight === 1 ? {} : { weight }), ...(hasClocks ? { retry: clocks } : {}) };
  });
  const retry = {
    ...(model.retries === null ? {} : { attempts: Math.min(20, Math.max(model.retries + 1, all.length)) }),
    ...model.clocks,
    ...(isAlone ? all[0]?.clocks : {}),
  };
  return {
    targets,
    ...(isBalanced ? { balance } : {}),
    ...(Object.keys(retry).length === 0 ? {} : { retry }),
  };
}

/** By the first kind of share that any deployment has; one without it then gets nothing, as there. */
function weightsOf(targets: readonly ImportedTarget[]): readonly number[] {
  const used = SHARES.find((share) => targets.some(({ shares }) => (shares[share] ?? 0) > 0));
  return targets.map(({ shares }) => (used === undefined ? 1 : (shares[used] ?? 0)));
}
