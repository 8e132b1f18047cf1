import { parseDocument } from 'yaml';
import { ACCOUNT_PARAMETERS, AccountBook } from './import-accounts.js';
import {
  balanceOf,
  clocksOf,
  type ImportedModel,
  type ImportedTarget,
  importedTarget,
  modelEntry,
  SHARES,
} from './import-models.js';
import type { KnownKinds } from './known-kind.js';
import { entriesOf, fieldOf, has, itemsOf, textOf } from './raw-view.js';

export interface Imported {
  /** A configuration in our words, for `yaml`'s `stringify`. Holds references to secrets, never a secret. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What could not be expressed, or means something else here; one sentence each. */
  readonly notes: readonly string[];
}

/** Models by name, in the order of the file, and what is not about one model. */
interface Collected {
  readonly models: Map<string, ImportedModel>;
  readonly prices: Record<string, unknown>[];
  readonly notes: string[];
}

const PARAMETERS = new Set([
  'model',
  'api_base',
  'base_url',
  'api_key',
  'api_version',
  'organization',
  'timeout',
  'stream_timeout',
  'max_retries',
  'input_cost_per_token',
  'output_cost_per_token',
  ...SHARES,
  ...ACCOUNT_PARAMETERS,
]);

/**
 * Reads a LiteLLM proxy configuration (`model_list`, `general_settings.master_key`, fallbacks, time-outs, prices).
 * Null when the text is no YAML map with a `model_list`.
 */
export function importLitellm(text: string, kinds: KnownKinds): Imported | null {
  const raw = parsed(text);
  if (!has(raw, 'model_list')) return null;
  const collected: Collected = { models: new Map(), prices: [], notes: [] };
  const accounts = new AccountBook(kinds, modelNames(raw));
  for (const [index, entry] of itemsOf(raw, 'model_list').entries()) deployment(entry, index, { accounts, collected });
  settings(raw, collected);
  return { config: assemble(raw, accounts, collected), notes: [...accounts.notes, ...collected.notes] };
}

function parsed(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
  if (document.errors.length > 0) return null;
  try {
    return document.toJS();
  } catch {
    // Aliases that expand without end.
    return null;
  }
}

/** Names that would collide with a provider of the same beginning. A name that is its own target is no collision. */
function modelNames(raw: unknown): readonly string[] {
  return itemsOf(raw, 'model_list').flatMap((entry) => {
    const name = textOf(entry, 'model_name');
    return name === null || name === textOf(fieldOf(entry, 'litellm_params'), 'model') ? [] : [name];
  });
}

interface Work {
  readonly accounts: AccountBook;
  readonly collected: Collected;
}

function deployment(entry: unknown, index: number, { accounts, collected }: Work): void {
  const place = `model_list[${index}]`;
  const name = textOf(entry, 'model_name');
  const parameters = fieldOf(entry, 'litellm_params');
  const model = textOf(parameters, 'model');
  if (name === null || model === null) {
    collected.notes.push(`${place}: has no model_name or no litellm_params.model; left out`);
    return;
  }
  const found = accounts.target(model, parameters, place);
  for (const [parameter] of entriesOf(entry, 'litellm_params')) {
    if (!PARAMETERS.has(parameter)) collected.notes.push(`${place}.litellm_params.${parameter}: not expressed`);
    if (parameter === 'rpm' || parameter === 'tpm')
      collected.notes.push(
        `${place}.litellm_params.${parameter}: not expressed as a limit, only as a share of the requests`,
      );
  }
  if (found === null) return;
  if (name.includes('*') || found.name.includes('*')) {
    collected.notes.push(
      `${place}: "${name}" is a pattern; every model of provider "${found.provider}" works as ${found.provider}/<model>`,
    );
    return;
  }
  const target = importedTarget(found.name, parameters);
  if (name !== found.name) addTarget(collected, name, target, parameters);
  addPrice(collected, target, parameters);
}

const NO_MODEL: ImportedModel = { own: [], fallbacks: [], retries: null, clocks: {} };

function addTarget(collected: Collected, name: string, target: ImportedTarget, parameters: unknown): void {
  const model = collected.models.get(name) ?? NO_MODEL;
  const isKnown = model.own.some((other) => other.name === target.name);
  const retries = fieldOf(parameters, 'max_retries');
  collected.models.set(name, {
    ...model,
    own: isKnown ? model.own : [...model.own, target],
    retries: typeof retries === 'number' ? Math.max(retries, model.retries ?? 0) : model.retries,
  });
}

/** Dollars per token there, dollars per million tokens here. */
function addPrice(collected: Collected, target: ImportedTarget, parameters: unknown): void {
  const input = fieldOf(parameters, 'input_cost_per_token');
  const output = fieldOf(parameters, 'output_cost_per_token');
  if (input === undefined && output === undefined) return;
  const perMillion = (cost: unknown) => Number((Number(cost ?? 0) * 1e6).toPrecision(12));
  collected.prices.push({ model: target.name, input: perMillion(input), output: perMillion(output) });
}

/** Settings of the whole proxy: fallbacks, retries and time-outs go to each model, the rest is named. */
function settings(raw: unknown, collected: Collected): void {
  for (const group of GROUPS) {
    const section = fieldOf(raw, group);
    for (const rule of itemsOf(section, 'fallbacks')) fallbacks(rule, collected);
    forEveryModel(section, collected);
    for (const [name, value] of entriesOf(section, 'model_group_alias')) alias(name, value, collected);
    for (const [name] of entriesOf(raw, group)) {
      if (!KNOWN.has(name)) collected.notes.push(`${group}.${name}: not expressed`);
    }
  }
  for (const name of Object.keys(raw ?? {})) {
    if (name !== 'model_list' && !GROUPS.includes(name)) collected.notes.push(`${name}: not expressed`);
  }
}

const GROUPS = ['litellm_settings', 'router_settings', 'general_settings'];

const KNOWN = new Set([
  'fallbacks',
  'num_retries',
  'timeout',
  'stream_timeout',
  'request_timeout',
  'model_group_alias',
  'routing_strategy',
  'master_key',
]);

function alias(name: string, value: unknown, collected: Collected): void {
  const model = typeof value === 'string' ? collected.models.get(value) : undefined;
  if (model === undefined) collected.notes.push(`router_settings.model_group_alias.${name}: not expressed`);
  else collected.models.set(name, model);
}

/** `{ model: [other, …] }`: the others' targets are tried after the model's own. */
function fallbacks(rule: unknown, collected: Collected): void {
  if (typeof rule !== 'object' || rule === null) return;
  for (const [name, others] of Object.entries(rule)) {
    const model = collected.models.get(name);
    const names = Array.isArray(others) ? others.map(String) : [];
    const more = names.flatMap((other) => collected.models.get(other)?.own ?? []);
    const missing = names.filter((other) => !collected.models.has(other));
    if (model === undefined || missing.length > 0) {
      collected.notes.push(
        `fallbacks of "${name}": not expressed for ${model === undefined ? 'an unknown model' : missing.join(', ')}`,
      );
    }
    if (model !== undefined) collected.models.set(name, { ...model, fallbacks: [...model.fallbacks, ...more] });
  }
}

function forEveryModel(section: unknown, collected: Collected): void {
  const retries = fieldOf(section, 'num_retries');
  for (const [name, model] of collected.models) {
    collected.models.set(name, {
      ...model,
      retries: model.retries ?? (typeof retries === 'number' ? retries : null),
      clocks: { ...clocksOf(section), ...model.clocks },
    });
  }
}

/** LiteLLM balances the deployments of a name; at random unless it says otherwise. */
function balanceFor(raw: unknown, notes: string[]): string {
  const strategy = textOf(fieldOf(raw, 'router_settings'), 'routing_strategy') ?? 'simple-shuffle';
  const balance = balanceOf(strategy);
  if (balance === null) {
    notes.push(`router_settings.routing_strategy: "${strategy}" is not expressed; balanced by weight instead`);
  }
  return balance ?? 'weighted';
}

function assemble(raw: unknown, accounts: AccountBook, collected: Collected): Readonly<Record<string, unknown>> {
  const balance = balanceFor(raw, collected.notes);
  const models = [...collected.models].map(([name, model]) => [name, modelEntry(model, balance)]);
  for (const [name, { own, fallbacks }] of collected.models) {
    if (own.length > 1 && fallbacks.length > 0 && balance === 'least_latency') {
      collected.notes.push(`fallbacks of "${name}": take part in least_latency here, like its own deployments`);
    }
  }
  return {
    providers: accounts.providers(),
    ...(models.length === 0 ? {} : { models: Object.fromEntries(models) }),
    ...masterKey(raw, collected.notes),
    ...(collected.prices.length === 0 ? {} : { prices: collected.prices }),
  };
}

function masterKey(raw: unknown, notes: string[]): Readonly<Record<string, unknown>> {
  const master = textOf(fieldOf(raw, 'general_settings'), 'master_key');
  if (master === null) return {};
  const variable = /^os\.environ\/(\w+)$/.exec(master)?.[1] ?? 'LITELLM_MASTER_KEY';
  if (!master.startsWith('os.environ/')) {
    notes.push(`general_settings.master_key: not copied into the file; set ${variable} to it`);
  }
  notes.push('general_settings.master_key: became the key "master" for apps; the admin API has its own admin.token');
  return { keys: [{ id: 'master', secret: `\${${variable}}` }] };
}
