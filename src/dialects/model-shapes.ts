import type { JsonObject } from './json-value.js';
import type { ModelFacts } from './model-facts.js';

/** A model as the gateway offers it. */
export interface OfferedModel extends ModelFacts {
  /** The provider's name, or `tollgate` for a name of the config. */
  readonly owner: string;
  /** Epoch seconds. */
  readonly created: number;
}

/** Which part of the list a client asks for. Every member is what it sent, not yet checked. */
export interface PageAsk {
  readonly limit: string | null;
  /** Google's continuation, which is the last name of the page before. */
  readonly pageToken: string | null;
  readonly after: string | null;
  readonly before: string | null;
}

/** One dialect's way to show models. */
export interface ModelShape {
  one(model: OfferedModel): JsonObject;
  list(models: readonly OfferedModel[], ask: PageAsk): JsonObject;
}

/** Both dialects with pages have this bound. A client that names none gets the whole of it: some never ask for a second page. */
const LONGEST_PAGE = 1_000;

/** `GET /v1/models` for everybody else. `context_window` is not OpenAI's; clients of other vendors look for it. */
export const openAiModels: ModelShape = {
  one: ({ id, created, owner, contextWindow }) => ({
    id,
    object: 'model',
    created,
    owned_by: owner,
    ...(contextWindow === null ? {} : { context_window: contextWindow }),
  }),
  list: (models) => ({ object: 'list', data: models.map(openAiModels.one) }),
};

/** `GET /v1/models` with `anthropic-version`. https://platform.claude.com/docs/en/api/models-list */
export const anthropicModels: ModelShape = {
  one: ({ id, created, title, contextWindow, maxOutput }) => ({
    type: 'model',
    id,
    display_name: title ?? id,
    created_at: new Date(created * 1000).toISOString().replace('.000Z', 'Z'),
    max_input_tokens: contextWindow,
    max_tokens: maxOutput,
    ...(contextWindow === null ? {} : { context_window: contextWindow }),
  }),
  list(models, ask) {
    const { page, more } =
      ask.before === null ? pageAfter(models, ask.after, ask) : pageBefore(models, ask.before, ask);
    return {
      data: page.map(anthropicModels.one),
      has_more: more,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    };
  },
};

/** What every model here can be asked for in Google's dialect. */
const METHODS = ['generateContent', 'streamGenerateContent', 'countTokens'];

/** `GET /v1beta/models`. https://ai.google.dev/api/models */
export const googleModels: ModelShape = {
  one: ({ id, title, contextWindow, maxOutput }) => ({
    name: `models/${id}`,
    displayName: title ?? id,
    ...(contextWindow === null ? {} : { inputTokenLimit: contextWindow }),
    ...(maxOutput === null ? {} : { outputTokenLimit: maxOutput }),
    supportedGenerationMethods: METHODS,
  }),
  list(models, ask) {
    const { page, more } = pageAfter(models, ask.pageToken, ask);
    const last = page.at(-1);
    return {
      models: page.map(googleModels.one),
      ...(more && last !== undefined ? { nextPageToken: last.id } : {}),
    };
  },
};

interface Page {
  readonly page: readonly OfferedModel[];
  readonly more: boolean;
}

/** An unknown name begins at the start: lists change while somebody reads them. */
function pageAfter(models: readonly OfferedModel[], after: string | null, ask: PageAsk): Page {
  const start = after === null ? 0 : models.findIndex(({ id }) => id === after) + 1;
  const end = start + limitOf(ask);
  return { page: models.slice(start, end), more: end < models.length };
}

function pageBefore(models: readonly OfferedModel[], before: string, ask: PageAsk): Page {
  const found = models.findIndex(({ id }) => id === before);
  const end = found < 0 ? models.length : found;
  const start = Math.max(0, end - limitOf(ask));
  return { page: models.slice(start, end), more: start > 0 };
}

function limitOf({ limit }: PageAsk): number {
  const asked = Number(limit);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, LONGEST_PAGE) : LONGEST_PAGE;
}
