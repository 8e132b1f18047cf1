import { type ClaudeModel, claudeModel } from '../anthropic/models.js';

/** What a model on Bedrock takes beside what Converse gives to all of them. */
export interface BedrockModel {
  readonly family: 'claude' | 'nova' | 'nova-2' | 'gpt-oss' | 'other';
  /** Null for all other makers' models. */
  readonly claude: ClaudeModel | null;
  /** `outputConfig.textFormat`, and `strict` on tools. */
  readonly schemas: boolean;
  /** Places of cache points. */
  readonly caches: ReadonlySet<'messages' | 'tools'>;
}

/** The maker's name stands inside region prefixes, inference profiles and ARNs alike; custom profiles hide it. */
const FAMILIES: readonly (readonly [RegExp, Exclude<BedrockModel['family'], 'claude' | 'other'>])[] = [
  [/amazon\.nova-2-/, 'nova-2'],
  [/amazon\.nova-/, 'nova'],
  [/openai\.gpt-oss/, 'gpt-oss'],
];

/** Models of open weights whose answers can be held to a schema, as far as makers and lines tell. */
const OPEN_WITH_SCHEMAS =
  /(?:qwen\.qwen3|openai\.gpt-oss|minimax\.|moonshot|google\.gemma-3|nvidia\.nemotron|deepseek\.v3|mistral\.(?:ministral|mistral-large-3|magistral|voxtral))/;

/** @param id a model id, the id of an inference profile, or an ARN */
export function bedrockModel(id: string): BedrockModel {
  if (isClaude(id)) {
    const claude = claudeModel(id);
    // Bedrock holds fewer of Claude's models to a schema than Anthropic does.
    const schemas = claude.version >= 4.5 && claude.version < 4.7;
    return { family: 'claude', claude, schemas, caches: new Set(['messages', 'tools']) };
  }
  const family = FAMILIES.find(([ids]) => ids.test(id))?.[1] ?? 'other';
  const nova = family === 'nova' || family === 'nova-2';
  return { family, claude: null, schemas: OPEN_WITH_SCHEMAS.test(id), caches: new Set(nova ? ['messages'] : []) };
}

/** Anthropic's models, which are also served in Anthropic's own dialect. */
export function isClaude(id: string): boolean {
  return /(?:^|[./])anthropic\.claude|(?:^|\/)claude-/.test(id);
}

/** Models that make vectors, which Converse does not ask. */
export function embedsText(id: string): boolean {
  return /amazon\.titan-embed-|amazon\.nova-[a-z0-9-]*embeddings|cohere\.embed-/.test(id);
}
