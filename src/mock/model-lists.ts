import type { JsonObject } from './json.js';
import { MOCK_MODELS } from './models.js';

/** 2026-01-01 */
const CREATED = 1_767_225_600;

/** Models by name, without patterns. */
const NAMES = MOCK_MODELS.map(({ name }) => name).filter((name) => !name.includes('<'));

export function openaiModel(id: string): JsonObject {
  return { id, object: 'model', created: CREATED, owned_by: 'tollgate' };
}

export function openaiModels(): JsonObject {
  return { object: 'list', data: NAMES.map(openaiModel) };
}

/** What a client with `anthropic-version` reads on the same path. https://docs.claude.com/en/api/models-list */
export function anthropicModels(): JsonObject {
  const created_at = new Date(CREATED * 1000).toISOString();
  const data = NAMES.map((id) => ({ type: 'model', id, display_name: id, created_at }));
  return { data, has_more: false, first_id: NAMES[0] ?? null, last_id: NAMES.at(-1) ?? null };
}

/** `GET /v1beta/models`. https://ai.google.dev/api/models */
export function googleModels(): JsonObject {
  const supportedGenerationMethods = ['generateContent', 'countTokens'];
  return { models: NAMES.map((name) => ({ name: `models/${name}`, displayName: name, supportedGenerationMethods })) };
}
