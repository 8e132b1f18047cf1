import type { AccessLogFacts } from '../access-log.js';
import type { Disagreement } from './disagreement.js';
import type { WatchedEntry } from './watched-entry.js';

export type Difference = Pick<Disagreement, 'kind' | 'line' | 'entry'>;

/** The endpoints whose whole answer is billed output. */
const ANSWERING: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
]);

/**
 * Where a line and the final entry of the same request do not tell the same story.
 *
 * @param providerOf the provider of a cluster, null for clusters that are none
 */
export function compare(
  line: AccessLogFacts,
  entry: WatchedEntry,
  providerOf: (cluster: string) => string | null,
): Difference[] {
  // Made from this very line.
  if (entry.recovered) return [];
  const differences: Difference[] = [];
  const status = lineStatus(line);
  if (status !== null && status !== entry.status && !leftEarly(line, entry)) {
    differences.push({ kind: 'status_differs', line: status, entry: entry.status });
  }
  if (line.attempts !== entry.attempts) {
    differences.push({ kind: 'attempts_differ', line: line.attempts, entry: entry.attempts });
  }
  const provider = line.cluster === null ? null : providerOf(line.cluster);
  const served = entry.target === null ? null : entry.target.slice(0, Math.max(0, entry.target.indexOf('/')));
  if (provider !== null && served !== null && provider !== served) {
    differences.push({ kind: 'target_differs', line: provider, entry: served });
  }
  if (isFree(line, entry)) differences.push({ kind: 'bytes_without_usage', line: line.bytes_sent, entry: 0 });
  return differences;
}

/** 499 when the client left before any response; null when Envoy does not know one. */
function lineStatus(line: AccessLogFacts): number | null {
  if (line.status !== 0) return line.status;
  return line.flags.includes('DC') ? 499 : null;
}

/** The client left while the answer was on its way: both tell so, each with the status it had seen by then. */
function leftEarly(line: AccessLogFacts, entry: WatchedEntry): boolean {
  return line.flags.includes('DC') && (entry.status === 499 || entry.code === 'client_closed');
}

function isFree(line: AccessLogFacts, entry: WatchedEntry): boolean {
  const answered = line.status >= 200 && line.status < 300 && line.bytes_sent > 0 && entry.cache !== 'hit';
  if (!answered || !ANSWERING.has(entry.endpoint) || entry.usage_source === 'provider') return false;
  return entry.outputTokens === 0;
}
