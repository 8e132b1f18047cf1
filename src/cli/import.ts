import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { importLitellm } from '../config/import-litellm.js';
import { errorCode } from '../config/references.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { UserError } from './user-error.js';

/** `tollgate import --from litellm FILE`: our configuration on stdout, what it could not express on stderr. */
export function importCommand(): Command {
  return new Command('import')
    .description("turn another gateway's configuration into ours")
    .requiredOption('--from <format>', 'litellm')
    .argument('<file>', 'configuration file of the other gateway')
    .action(importFile);
}

function importFile(file: string, flags: { readonly from: string }): void {
  if (flags.from !== 'litellm') throw new UserError('--from: only litellm is known');
  const imported = importLitellm(readText(file), PROVIDER_KINDS);
  if (imported === null) throw new UserError(`${file}: is no YAML file with a model_list`);
  for (const note of imported.notes) process.stderr.write(`${file}: ${note}\n`);
  process.stdout.write(`# Made from a LiteLLM configuration; see what was left out.\n${stringify(imported.config)}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read ${file} (${errorCode(error)})`);
  }
}
