/**
 * The strings of OpenTelemetry's GenAI conventions that we use, in one place because all of them are still "Development".
 * https://github.com/open-telemetry/semantic-conventions-genai, as of August 2026.
 */

/** Buckets of `gen_ai.client.token.usage`. */
export const TOKEN_BUCKETS: readonly number[] = Array.from({ length: 14 }, (_, power) => 4 ** power);

/** Seconds; buckets of durations of whole requests. */
export const DURATION_BUCKETS: readonly number[] = Array.from({ length: 14 }, (_, power) => 2 ** power / 100);

/** Seconds; buckets of `gen_ai.server.time_to_first_token`. */
export const FIRST_TOKEN_BUCKETS: readonly number[] = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Seconds; buckets of `gen_ai.server.time_per_output_token`. */
export const PER_TOKEN_BUCKETS: readonly number[] = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5,
];

/** `gen_ai.provider.name` where the conventions' word is not the word of our config. */
const PROVIDER_NAMES: ReadonlyMap<string, string> = new Map([
  ['azure-openai', 'azure.ai.openai'],
  ['mistral', 'mistral_ai'],
  ['moonshot', 'moonshot_ai'],
  ['xai', 'x_ai'],
  ['bedrock', 'aws.bedrock'],
  ['gemini', 'gcp.gemini'],
  ['vertex', 'gcp.vertex_ai'],
]);

/** `gen_ai.operation.name` by endpoint; the conventions have no word for the last ones. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/responses', 'chat'],
  ['/v1/messages', 'chat'],
  ['/v1/completions', 'text_completion'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/rerank', 'rerank'],
  ['/v1/realtime', 'realtime'],
  ['/v1/moderations', 'moderation'],
  ['/v1/images/generations', 'image_generation'],
  ['/v1/audio/speech', 'speech'],
  ['/v1/audio/transcriptions', 'transcription'],
  ['/v1/audio/translations', 'translation'],
]);

export function providerName(kind: string): string {
  return PROVIDER_NAMES.get(kind) ?? kind;
}

export function operationName(endpoint: string): string {
  if (endpoint.includes(':generateContent') || endpoint.includes(':streamGenerateContent')) return 'generate_content';
  if (/:(?:batchE|e)mbedContents?$/.test(endpoint)) return 'embeddings';
  return OPERATIONS.get(endpoint) ?? 'other';
}
