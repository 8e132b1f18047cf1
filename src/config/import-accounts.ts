import type { KnownKinds } from './cross-check.js';
import { textOf } from './raw-view.js';

/** LiteLLM's prefixes that are not the name of our kind. */
const KINDS: Readonly<Record<string, string>> = {
  azure: 'azure-openai',
  azure_ai: 'openai-compatible',
  custom_openai: 'openai-compatible',
  dashscope: 'qwen',
  fireworks_ai: 'fireworks',
  hosted_vllm: 'vllm',
  lm_studio: 'openai-compatible',
  nvidia_nim: 'nvidia',
  ollama_chat: 'ollama',
  'text-completion-openai': 'openai',
  together_ai: 'together',
  zai: 'zhipu',
};

/** Prefixes of vendors that need a dialect of their own. */
const NOT_YET = new Set(['anthropic', 'bedrock', 'gemini', 'vertex_ai', 'vertex_ai_beta', 'cohere', 'cohere_chat']);

interface Account {
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Collects the upstream accounts that deployments use: same vendor, address and credential = one provider. */
export class AccountBook {
  readonly notes: string[] = [];
  readonly #kinds: KnownKinds;
  readonly #modelNames: readonly string[];
  readonly #accounts = new Map<string, Account>();

  /** `modelNames`: no provider may be named like the first part of one of them. */
  constructor(kinds: KnownKinds, modelNames: readonly string[]) {
    this.#kinds = kinds;
    this.#modelNames = modelNames;
  }

  /** Our `provider/model` for a deployment, or null (with a note) when no kind of ours can serve it. */
  target(
    model: string,
    parameters: unknown,
    place: string,
  ): { readonly name: string; readonly provider: string } | null {
    const { kind, rest } = this.#split(model, textOf(parameters, 'api_base') ?? textOf(parameters, 'base_url'));
    if (kind === null) {
      const vendor = model.split('/')[0] ?? model;
      const reason = NOT_YET.has(vendor) ? 'is not yet supported' : 'is not known';
      this.notes.push(`${place}: provider "${vendor}" ${reason}; ${model} is left out`);
      return null;
    }
    const provider = this.#account({ kind, settings: this.#settings(kind, parameters, place) });
    return { name: `${provider}/${rest}`, provider };
  }

  providers(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#accounts].map(([name, { kind, settings }]) => [name, { kind, ...settings }]));
  }

  #split(model: string, base: string | null): { readonly kind: string | null; readonly rest: string } {
    const slash = model.indexOf('/');
    // A model without a prefix is OpenAI's.
    if (slash < 0) return { kind: base === null ? 'openai' : 'openai-compatible', rest: model };
    const prefix = model.slice(0, slash);
    const kind = KINDS[prefix] ?? prefix;
    const elsewhere = kind === 'openai' && base !== null && !base.includes('api.openai.com');
    const known = this.#kinds.has(kind) ? kind : null;
    return { kind: elsewhere ? 'openai-compatible' : known, rest: model.slice(slash + 1) };
  }

  #settings(kind: string, parameters: unknown, place: string): Readonly<Record<string, unknown>> {
    const base = textOf(parameters, 'api_base') ?? textOf(parameters, 'base_url');
    const version = textOf(parameters, 'api_version');
    const organization = textOf(parameters, 'organization');
    const credentials = this.#credentials(kind, textOf(parameters, 'api_key'), place);
    return {
      ...(base === null ? {} : { base_url: baseUrl(kind, reference(base), version) }),
      ...(credentials === null ? {} : { credentials }),
      ...(version === null || kind !== 'azure-openai' ? {} : { api_version: reference(version) }),
      ...(organization === null ? {} : { headers: { 'openai-organization': reference(organization) } }),
    };
  }

  /** A reference to where the key is; a key that stands in the file is not copied. */
  #credentials(kind: string, key: string | null, place: string): string | null {
    const usual = this.#kinds.get(kind)?.environment[0];
    if (key === null) return usual === undefined ? null : `\${${usual}}`;
    if (key.startsWith('os.environ/')) return reference(key);
    const variable = usual ?? `${kind.toUpperCase().replaceAll(/\W/g, '_')}_API_KEY`;
    this.notes.push(`${place}.litellm_params.api_key: not copied into the file; set ${variable} to it`);
    return `\${${variable}}`;
  }

  #account(account: Account): string {
    const text = JSON.stringify(account);
    for (const [name, known] of this.#accounts) if (JSON.stringify(known) === text) return name;
    for (let number = 1; ; number++) {
      const name = number === 1 ? account.kind : `${account.kind}-${number}`;
      const isTaken = this.#accounts.has(name) || this.#modelNames.some((model) => model.startsWith(`${name}/`));
      if (isTaken) continue;
      this.#accounts.set(name, account);
      return name;
    }
  }
}

/** `os.environ/NAME` becomes `${NAME}`; a `${` of theirs stays what it is. */
function reference(text: string): string {
  const variable = /^os\.environ\/(\w+)$/.exec(text)?.[1];
  return variable === undefined ? text.replaceAll('${', '$${') : `\${${variable}}`;
}

/** Azure's paths: `/openai/v1` belongs to our base URL, the path of a dated API does not. */
function baseUrl(kind: string, base: string, version: string | null): string {
  const trimmed = base.replace(/\/+$/, '').replace(/\/chat\/completions$/, '');
  const isV1Azure = kind === 'azure-openai' && version === null;
  if (isV1Azure && !trimmed.endsWith('/openai/v1')) return `${trimmed.replace(/\/openai$/, '')}/openai/v1`;
  return kind === 'ollama' && !trimmed.endsWith('/v1') ? `${trimmed}/v1` : trimmed;
}
