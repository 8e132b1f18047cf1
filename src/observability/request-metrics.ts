import { BoundedLabel, OTHER } from './bounded-label.js';
import * as genAi from './gen-ai.js';
import { type Cell, Histogram, type Spread, Tally } from './tallies.js';

/** A finished request as the metrics need it; a final ledger entry has all but the last three fields. */
export interface RequestFacts {
  readonly endpoint: string;
  /** What the client got; 499 when it left before the answer. */
  readonly status: number;
  readonly stream: boolean;
  /** Tokens by class, not overlapping; empty when unknown. */
  readonly usage: Readonly<Partial<Record<string, number>>>;
  readonly usage_source: string | null;
  readonly cost_nano_usd: number | null;
  readonly first_token_ms: number | null;
  readonly ms: number;
  readonly target: string | null;
  readonly answered_model: string | null;
  /** With the fault's prefix: `policy.model_not_allowed`; null on success. */
  readonly code: string | null;
  /** Configured name and kind of the provider that answered; null when none did. */
  readonly provider: string | null;
  readonly provider_kind: string | null;
}

const MOST_MODELS = 1000;
const MOST_PROVIDERS = 200;
const MOST_CODES = 200;
/** Providers and outcomes, targets and codes whose cells are kept at hand. */
const MOST_KEPT = 1000;
/** Kinds of request of one target or code that are told apart without looking labels up. */
const MOST_KINDS = 50;
const OVERHEAD_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const COMMON = [
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
  'gen_ai_response_model',
] as const;

/** Where one kind of request is counted. */
interface Place {
  /** The first one of its kind. */
  readonly like: RequestFacts;
  readonly requests: Cell;
  readonly usageSource: Cell | null;
  readonly duration: Spread;
  readonly cost: () => Cell;
  readonly tokens: (type: string) => Spread;
  readonly firstToken: () => Spread;
  readonly perToken: () => Spread;
}

/** What every request is counted in. Names and labels: design 1.9. */
export class RequestMetrics {
  readonly #providers = new BoundedLabel(MOST_PROVIDERS);
  readonly #models = new BoundedLabel(MOST_MODELS);
  readonly #answeredModels = new BoundedLabel(MOST_MODELS);
  readonly #codes = new BoundedLabel(MOST_CODES);
  /** By target, without one by code. */
  readonly #places = new Map<string, Place[]>();
  readonly #tries = new Map<string, Cell>();

  readonly #tokens = new Histogram(
    {
      name: 'gen_ai_client_token_usage',
      help: 'Tokens of a request by type. Types do not overlap: input leaves out cached_input and cache_creation_input, output leaves out reasoning',
      labels: [...COMMON, 'gen_ai_token_type'],
    },
    genAi.TOKEN_BUCKETS,
  );
  readonly #duration = new Histogram(
    {
      name: 'gen_ai_server_request_duration_seconds',
      help: 'From the request to the end of its answer',
      labels: [...COMMON, 'error_type'],
    },
    genAi.DURATION_BUCKETS,
  );
  readonly #firstToken = new Histogram(
    {
      name: 'gen_ai_server_time_to_first_token_seconds',
      help: 'From the request to the first token of a stream',
      labels: COMMON,
    },
    genAi.FIRST_TOKEN_BUCKETS,
  );
  readonly #perToken = new Histogram(
    {
      name: 'gen_ai_server_time_per_output_token_seconds',
      help: 'Time per output token of a stream after the first one',
      labels: COMMON,
    },
    genAi.PER_TOKEN_BUCKETS,
  );
  readonly #overhead = new Histogram(
    { name: 'tollgate_overhead_seconds', help: 'Time the service held a request', labels: [] },
    OVERHEAD_BUCKETS,
  );
  readonly #cost = new Tally({ name: 'tollgate_cost_usd_total', help: 'Dollars', labels: ['provider', 'model'] });
  readonly #requests = new Tally({
    name: 'tollgate_requests_total',
    help: 'Finished requests by code: ok, or whose fault and what',
    labels: ['code'],
  });
  readonly #attempts = new Tally({
    name: 'tollgate_attempts_total',
    help: 'Tries at a provider',
    labels: ['provider', 'outcome'],
  });
  readonly #usageSource = new Tally({
    name: 'tollgate_usage_source_total',
    help: 'Requests by the origin of their usage',
    labels: ['source'],
  });
  readonly #held = this.#overhead.spread();

  finished(facts: RequestFacts): void {
    const place = this.#placeOf(facts);
    place.requests.value += 1;
    if (place.usageSource !== null) place.usageSource.value += 1;
    if (facts.cost_nano_usd !== null && facts.cost_nano_usd > 0) place.cost().value += facts.cost_nano_usd / 1e9;
    this.#duration.observe(place.duration, facts.ms / 1000);
    this.#observeTokens(place, facts);
  }

  attempt(provider: string, outcome: string): void {
    const name = `${provider} ${outcome}`;
    let cell = this.#tries.get(name);
    if (cell === undefined) {
      if (this.#tries.size >= MOST_KEPT) this.#tries.clear();
      cell = this.#attempts.cell(this.#providers.admit(provider), outcome);
      this.#tries.set(name, cell);
    }
    cell.value += 1;
  }

  overhead(seconds: number): void {
    this.#overhead.observe(this.#held, seconds);
  }

  render(): string {
    const all = [
      this.#tokens,
      this.#duration,
      this.#firstToken,
      this.#perToken,
      this.#cost,
      this.#requests,
      this.#attempts,
      this.#usageSource,
      this.#overhead,
    ];
    return all.map((metric) => `${metric.render()}\n`).join('\n');
  }

  #placeOf(facts: RequestFacts): Place {
    const { target, code, status } = facts;
    // A name that nobody has answered for yet may be known later.
    if (status >= 400 && target !== null) return this.#makePlace(facts);
    const places = this.#placesOf(target ?? code ?? '');
    for (const place of places) if (areAlike(place.like, facts)) return place;
    if (places.length >= MOST_KINDS) places.length = 0;
    const place = this.#makePlace(facts);
    places.push(place);
    return place;
  }

  #placesOf(name: string): Place[] {
    let places = this.#places.get(name);
    if (places === undefined) {
      if (this.#places.size >= MOST_KEPT) this.#places.clear();
      places = [];
      this.#places.set(name, places);
    }
    return places;
  }

  #makePlace(facts: RequestFacts): Place {
    const code = this.#codes.admit(facts.code ?? 'ok');
    const model = modelLabel(this.#models, facts);
    const provider = facts.provider ?? OTHER;
    const common = [
      genAi.operationName(facts.endpoint),
      this.#providers.admit(genAi.providerName(facts.provider_kind ?? provider)),
      model,
      this.#answeredModels.admit(facts.answered_model ?? OTHER),
    ];
    return {
      like: facts,
      requests: this.#requests.cell(code),
      usageSource: facts.usage_source === null ? null : this.#usageSource.cell(facts.usage_source),
      duration: this.#duration.spread(...common, facts.code === null ? '' : code),
      // Looked for when there is something to count, so that nothing shows that never was.
      cost: once(() => this.#cost.cell(this.#providers.admit(provider), model)),
      tokens: onceEach((type) => this.#tokens.spread(...common, type)),
      firstToken: once(() => this.#firstToken.spread(...common)),
      perToken: once(() => this.#perToken.spread(...common)),
    };
  }

  #observeTokens(place: Place, { usage, usage_source: source, stream, first_token_ms: first, ms }: RequestFacts): void {
    const observe = (type: string, tokens: number): void => this.#tokens.observe(place.tokens(type), tokens);
    const output = (usage['output'] ?? 0) + (usage['output_audio'] ?? 0);
    const reasoning = usage['reasoning'] ?? 0;
    if (source !== null) {
      observe('input', (usage['input'] ?? 0) + (usage['input_audio'] ?? 0) + (usage['input_image'] ?? 0));
      observe('output', output);
      const cached = usage['cache_read'] ?? 0;
      const written = (usage['cache_write_5m'] ?? 0) + (usage['cache_write_1h'] ?? 0);
      if (cached > 0) observe('cached_input', cached);
      if (written > 0) observe('cache_creation_input', written);
      if (reasoning > 0) observe('reasoning', reasoning);
    }
    if (!stream || first === null) return;
    this.#firstToken.observe(place.firstToken(), first / 1000);
    const later = output + reasoning - 1;
    if (later > 0) this.#perToken.observe(place.perToken(), (ms - first) / 1000 / later);
  }
}

/** Whether two requests are counted in the same places; neither failed at a target. */
function areAlike(one: RequestFacts, other: RequestFacts): boolean {
  return (
    one.endpoint === other.endpoint &&
    one.answered_model === other.answered_model &&
    one.usage_source === other.usage_source &&
    one.provider_kind === other.provider_kind &&
    one.target === other.target &&
    one.code === other.code &&
    one.provider === other.provider
  );
}

/** The target's model; `other` until a provider has answered for it, so that invented names stay out. */
function modelLabel(models: BoundedLabel, facts: RequestFacts): string {
  if (facts.target === null) return OTHER;
  const model = facts.target.slice(facts.target.indexOf('/') + 1);
  return facts.status < 400 ? models.admit(model) : models.known(model);
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function onceEach<T>(make: (name: string) => T): (name: string) => T {
  const made = new Map<string, T>();
  return (name) => {
    let one = made.get(name);
    if (one === undefined) {
      one = make(name);
      made.set(name, one);
    }
    return one;
  };
}
