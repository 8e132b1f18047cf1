/**
 * Anthropic's betas that Vertex AI knows, and what it calls them; it refuses a request that names any other ("invalid beta
 * flag"), and Claude Code names many. https://docs.anthropic.com/en/api/claude-on-vertex-ai
 */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ['advanced-tool-use-2025-11-20', 'tool-search-tool-2025-10-19'],
  ...[
    'compact-2026-01-12',
    'computer-use-2025-01-24',
    'computer-use-2025-11-24',
    'context-1m-2025-08-07',
    'context-management-2025-06-27',
    'interleaved-thinking-2025-05-14',
    'tool-search-tool-2025-10-19',
    'web-search-2025-03-05',
  ].map((name): [string, string] => [name, name]),
]);

/**
 * @param asked the client's `anthropic-beta`: names with commas between
 * @returns those that may be sent on; '' when there are none
 */
export function vertexBetas(asked: string): string {
  const names = asked.split(',').flatMap((name) => KNOWN.get(name.trim()) ?? []);
  return [...new Set(names)].join(',');
}
