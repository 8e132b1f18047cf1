import type { KnownKinds } from './known-kind.js';
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
  bedrock_converse: 'bedrock',
  cohere_chat: 'cohere',
  jina_ai: 'jina',
  vertex_ai: 'vertex',
  vertex_ai_beta: 'vertex',
  zai: 'zhipu',
};

/** Their names of places. */
const PLACES = { region: 'aws_region_name', project: 'vertex_project', location: 'vertex_location' } as const;

/** Their names of what makes up a credential. */
const CLOUD_FIELDS = [
  { identity: 'aws', theirs: 'aws_access_key_id', ours: 'access_key_id' },
  { identity: 'aws', theirs: 'aws_secret_access_key', ours: 'secret_access_key' },
  { identity: 'aws', theirs: 'aws_session_token', ours: 'session_token' },
  { identity: 'aws', theirs: 'aws_profile_name', ours: 'profile' },
  { identity: 'azure', theirs: 'tenant_id', ours: 'tenant_id' },
  { identity: 'azure', theirs: 'client_id', ours: 'client_id' },
  { identity: 'azure', theirs: 'client_secret', ours: 'client_secret' },
] as const;

/** What is not copied: ids say who, and only secrets prove it. */
const SECRET_FIELD = /secret|token|credentials/;

/** Parameters of accounts that are read here. */
export const ACCOUNT_PARAMETERS: readonly string[] = [
  ...Object.values(PLACES),
  ...CLOUD_FIELDS.map(({ theirs }) => theirs),
  'vertex_credentials',
];

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
      this.notes.push(`${place}: provider "${vendor}" is not known; ${model} is left out`);
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
    const credentials =
      this.#cloudCredentials(kind, parameters, place) ?? this.#credentials(kind, textOf(parameters, 'api_key'), place);
    return {
      ...(base === null ? {} : { base_url: baseUrl(kind, reference(base), version) }),
      ...(credentials === null ? {} : { credentials }),
      ...this.#places(kind, parameters),
      ...(version === null || kind !== 'azure-openai' ? {} : { api_version: reference(version) }),
      ...(organization === null ? {} : { headers: { 'openai-organization': reference(organization) } }),
    };
  }

  /** Region, project and location, where the kind has them. */
  #places(kind: string, parameters: unknown): Readonly<Record<string, string>> {
    const needs = this.#kinds.get(kind)?.needs ?? [];
    const given = needs.map((setting) => [setting, textOf(parameters, PLACES[setting])] as const);
    return Object.fromEntries(given.flatMap(([setting, text]) => (text === null ? [] : [[setting, reference(text)]])));
  }

  /** Identities of clouds: references where there are some, the place's own identity where nothing is said. */
  #cloudCredentials(kind: string, parameters: unknown, place: string): unknown {
    const identity = this.#kinds.get(kind)?.identity;
    if (identity === undefined || textOf(parameters, 'api_key') !== null) return null;
    const map = Object.fromEntries(
      CLOUD_FIELDS.filter((field) => field.identity === identity).flatMap(({ theirs, ours }) => {
        const text = textOf(parameters, theirs);
        return text === null ? [] : [[ours, this.#secretReference(theirs, text, place)]];
      }),
    );
    if (identity === 'google') return this.#googleCredentials(textOf(parameters, 'vertex_credentials'), place);
    if (Object.keys(map).length > 0) return map;
    return identity === 'aws' ? { source: 'default' } : null;
  }

  #googleCredentials(credentials: string | null, place: string): unknown {
    if (credentials === null) return { source: 'default' };
    if (credentials.startsWith('os.environ/')) return reference(credentials);
    if (!credentials.trimStart().startsWith('{')) return `file:${reference(credentials)}`;
    return this.#secretReference('vertex_credentials', credentials, place);
  }

  #secretReference(name: string, text: string, place: string): string {
    if (text.startsWith('os.environ/') || !SECRET_FIELD.test(name)) return reference(text);
    const variable = name.toUpperCase();
    this.notes.push(`${place}.litellm_params.${name}: not copied into the file; set ${variable} to it`);
    return `\${${variable}}`;
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
