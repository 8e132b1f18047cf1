import type { ResponseFacts } from '../../dialects/response-reader.js';
import type { EstimatedUsage } from '../estimate.js';

/**
 * The token that was under way when a stream was cut: the provider goes on writing until it hears that nobody listens, and
 * bills what it wrote. Without it the sum of many cut streams is below their providers' count; with it a little above.
 */
export function withTokenUnderWay(
  found: EstimatedUsage,
  response: Readonly<Pick<ResponseFacts, 'contentEvents' | 'terminal'>> | null,
): EstimatedUsage {
  // Before the first token nothing says that there is one; after the last there is none.
  if (response === null || response.contentEvents === 0 || response.terminal) return found;
  const usage = { ...found.usage, output: found.usage.output + 1 };
  return { usage, source: found.source === 'provider' ? 'mixed' : found.source };
}
