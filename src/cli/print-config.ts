import { Command } from 'commander';
import { stringify } from 'yaml';
import { IDLE_MOCK, processContext, withMock } from '../config/context.js';
import { effectiveConfig } from '../config/effective.js';
import { formatProblem } from '../config/problem.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { withConfigFlag } from './flags.js';
import { describeConfig, readConfig } from './read-config.js';
import { UserError } from './user-error.js';

interface PrintFlags {
  readonly config?: string;
  readonly format: string;
}

/** `tollgate print-config`: what is in effect, defaults filled in, secrets masked. */
export function printConfigCommand(): Command {
  return withConfigFlag(new Command('print-config'))
    .description('print the effective configuration, secrets masked')
    .option('--format <format>', 'yaml or json', 'yaml')
    .action(printConfig);
}

function printConfig(flags: PrintFlags): void {
  if (flags.format !== 'yaml' && flags.format !== 'json') throw new UserError('--format is yaml or json');
  const read = readConfig(flags.config, processContext(withMock(PROVIDER_KINDS, IDLE_MOCK)));
  if ('problems' in read) throw new UserError(read.problems.map(formatProblem).join('\n'));
  const { snapshot } = read;
  const config = effectiveConfig(snapshot);
  if (flags.format === 'json') {
    process.stdout.write(`${JSON.stringify(config, null, 2)}\n`);
    return;
  }
  process.stdout.write(`# ${describeConfig(snapshot)}, version ${snapshot.version}\n${stringify(config)}`);
}
