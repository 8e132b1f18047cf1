import { IDLE_MOCK, processContext, withMock } from '../config/context.js';
import { formatProblem } from '../config/problem.js';
import type { Snapshot } from '../config/snapshot.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { readConfig } from './read-config.js';
import { UserError } from './user-error.js';

/** The snapshot that a command looks at; starts nothing and writes nothing. Throws UserError with every mistake. */
export function readSnapshot(config: string | undefined): Snapshot {
  const read = readConfig(config, processContext(withMock(PROVIDER_KINDS, IDLE_MOCK)));
  if ('problems' in read) throw new UserError(read.problems.map(formatProblem).join('\n'));
  return read.snapshot;
}
