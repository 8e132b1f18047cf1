/**
 * Anthropic's betas that Bedrock knows; it refuses a request that names any other ("invalid beta flag"), and Claude Code names
 * many. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 */
const KNOWN: ReadonlySet<string> = new Set([
  'computer-use-2024-10-22',
  'computer-use-2025-01-24',
  'computer-use-2025-11-24',
  'context-1m-2025-08-07',
  'context-management-2025-06-27',
  'dev-full-thinking-2025-05-14',
  'effort-2025-11-24',
  'fine-grained-tool-streaming-2025-05-14',
  'interleaved-thinking-2025-05-14',
  'output-128k-2025-02-19',
  'token-efficient-tools-2025-02-19',
  'tool-examples-2025-10-29',
  'tool-search-tool-2025-10-19',
]);

/** Those that Bedrock takes, each once. */
export function bedrockBetas(named: readonly unknown[]): readonly string[] {
  return [...new Set(named)].filter((beta) => typeof beta === 'string' && KNOWN.has(beta)) as string[];
}
