import { parseDocument } from 'yaml';
import type { KnownKinds } from './cross-check.js';
import { AccountBook } from './import-accounts.js';
import { entriesOf, fieldOf, has, itemsOf, textOf } from './raw-view.js';

export interface Imported {
  /** A configuration in our words, for `yaml`'s `stringify`. Holds references to secrets, never a secret. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What could not be expressed, or means something else here; one sentence each. */
  readonly notes: readonly string[];
}

interface Target {
  readonly name: string;
}

/** Models by name, as they are collected: our `models` section with the order of the file. */
interface Collected {
  readonly targets: Map<string, string[]>;
  readonly retry: Map<string, Record<string, unknown>>;
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
  'weight',
]);

/**
 * Reads a LiteLLM proxy configuration (`model_list`, `general_settings.master_key`, fallbacks, time-outs, prices).
 * Null when the text is no YAML map with a `model_list`.
 */
export function importLitellm(text: string, kinds: KnownKinds): Imported | null {
  const raw = parsed(text);
  if (!has(raw, 'model_list')) return null;
  const collected: Collected = { targets: new Map(), retry: new Map(), prices: [], notes: [] };
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
  }
  if (found === null) return;
  if (name.includes('*') || found.name.includes('*')) {
    collected.notes.push(
      `${place}: "${name}" is a pattern; every model of provider "${found.provider}" works as ${found.provider}/<model>`,
    );
    return;
  }
  if (name !== found.name) addTarget(collected, name, found, place);
  addPrice(collected, found, parameters);
  addTimes(collected, name, parameters);
}

function addTarget(collected: Collected, name: string, target: Target, place: string): void {
  const targets = collected.targets.get(name) ?? [];
  if (targets.length === 1) {
    collected.notes.push(`${place}: the deployments of "${name}" are tried in order here, not balanced`);
  }
  collected.targets.set(name, targets.includes(target.name) ? targets : [...targets, target.name]);
}

/** Dollars per token there, dollars per million tokens here. */
function addPrice(collected: Collected, target: Target, parameters: unknown): void {
  const input = fieldOf(parameters, 'input_cost_per_token');
  const output = fieldOf(parameters, 'output_cost_per_token');
  if (input === undefined && output === undefined) return;
  const perMillion = (cost: unknown) => Number((Number(cost ?? 0) * 1e6).toPrecision(12));
  collected.prices.push({ model: target.name, input: perMillion(input), output: perMillion(output) });
}

function addTimes(collected: Collected, name: string, parameters: unknown): void {
  const retry = { ...collected.retry.get(name) };
  const response = seconds(fieldOf(parameters, 'timeout'));
  const firstToken = seconds(fieldOf(parameters, 'stream_timeout'));
  const retries = fieldOf(parameters, 'max_retries');
  if (response !== null) retry['response'] = response;
  if (firstToken !== null) retry['first_token'] = firstToken;
  if (typeof retries === 'number') retry['attempts'] = retries + 1;
  if (Object.keys(retry).length > 0) collected.retry.set(name, retry);
}

function seconds(value: unknown): string | null {
  return typeof value === 'number' && value > 0 ? `${value}s` : null;
}

/** Settings of the whole proxy: fallbacks, retries and time-outs go to each model, the rest is named. */
function settings(raw: unknown, collected: Collected): void {
  const known = new Set(['fallbacks', 'num_retries', 'timeout', 'request_timeout', 'model_group_alias', 'master_key']);
  for (const group of ['litellm_settings', 'router_settings', 'general_settings']) {
    const section = fieldOf(raw, group);
    for (const [name, value] of entriesOf(section, 'model_group_alias')) alias(name, value, collected);
    for (const rule of itemsOf(section, 'fallbacks')) fallbacks(rule, collected);
    forEveryModel(section, collected);
    for (const [name] of entriesOf(raw, group)) {
      if (!known.has(name)) collected.notes.push(`${group}.${name}: not expressed`);
    }
  }
  const sections = new Set(['model_list', 'litellm_settings', 'router_settings', 'general_settings']);
  for (const name of Object.keys(raw ?? {})) if (!sections.has(name)) collected.notes.push(`${name}: not expressed`);
}

function alias(name: string, value: unknown, collected: Collected): void {
  const targets = typeof value === 'string' ? collected.targets.get(value) : undefined;
  if (targets === undefined) collected.notes.push(`router_settings.model_group_alias.${name}: not expressed`);
  else collected.targets.set(name, targets);
}

/** `{ model: [other, …] }`: the others' targets are tried after the model's own. */
function fallbacks(rule: unknown, collected: Collected): void {
  if (typeof rule !== 'object' || rule === null) return;
  for (const [name, others] of Object.entries(rule)) {
    const own = collected.targets.get(name);
    const names = Array.isArray(others) ? others.map(String) : [];
    const more = names.flatMap((other) => collected.targets.get(other) ?? []);
    const missing = names.filter((other) => !collected.targets.has(other));
    if (own === undefined || missing.length > 0) {
      collected.notes.push(
        `fallbacks of "${name}": not expressed for ${own === undefined ? 'an unknown model' : missing.join(', ')}`,
      );
    }
    if (own !== undefined) collected.targets.set(name, [...new Set([...own, ...more])]);
  }
}

function forEveryModel(section: unknown, collected: Collected): void {
  const retries = fieldOf(section, 'num_retries');
  const response = seconds(fieldOf(section, 'timeout') ?? fieldOf(section, 'request_timeout'));
  for (const name of collected.targets.keys()) {
    const retry = collected.retry.get(name) ?? {};
    if (typeof retries === 'number') retry['attempts'] ??= retries + 1;
    if (response !== null) retry['response'] ??= response;
    if (Object.keys(retry).length > 0) collected.retry.set(name, retry);
  }
}

function assemble(raw: unknown, accounts: AccountBook, collected: Collected): Readonly<Record<string, unknown>> {
  const models = [...collected.targets].map(([name, targets]) => {
    const retry = collected.retry.get(name);
    return [name, retry === undefined ? { targets } : { targets, retry }];
  });
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
