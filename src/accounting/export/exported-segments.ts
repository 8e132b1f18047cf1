import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseState, statePath } from './export-state.js';

export interface ExportedOptions {
  readonly ledgerDirectory: string;
  readonly dataDirectory: string;
  /** Names of the configured exporters. */
  readonly names: readonly string[];
}

/**
 * Tells of ledger segments (`<boot>/<file>`) whether every exporter is done with them, as of now: others must not be deleted. True
 * for all when there are no exporters.
 */
export function exportedSegments(options: ExportedOptions): (segment: string) => boolean {
  const { ledgerDirectory, dataDirectory, names } = options;
  const progress = names.map((name) => positionsOf(statePath(join(dataDirectory, 'exports'), name)));
  return (segment) => {
    const size = statSync(join(ledgerDirectory, segment), { throwIfNoEntry: false })?.size ?? 0;
    return progress.every((positions) => (positions.get(segment) ?? 0) >= size);
  };
}

function positionsOf(path: string): ReadonlyMap<string, number> {
  try {
    const state = parseState(readFileSync(path, 'utf8'));
    return new Map(state?.positions.map(({ file, bytes }) => [file, bytes]) ?? []);
  } catch {
    // Nothing told yet, or nobody knows: keep everything.
    return new Map();
  }
}
