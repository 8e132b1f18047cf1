import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { IDLE_MOCK, processContext, withMock } from '../config/context.js';
import { formatProblem } from '../config/problem.js';
import type { Snapshot } from '../config/snapshot.js';
import { findEnvoy } from '../envoy/binary.js';
import { checkEnvoyConfig } from '../envoy/check-bootstrap.js';
import { validateWithEnvoy } from '../envoy/validate.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import { withConfigFlag } from './flags.js';
import { describeConfig, readConfig } from './read-config.js';

interface CheckFlags {
  readonly config?: string;
  readonly envoy?: string;
}

/** `tollgate check`: every mistake of the configuration at once, and of a hand-kept envoy.yaml. Exit code 1 if any. */
export function checkCommand(): Command {
  return withConfigFlag(new Command('check'))
    .description('check the configuration: all mistakes at once, with line and column')
    .option('--envoy <file>', 'also check that this envoy.yaml has what the configuration needs')
    .action(check);
}

async function check(flags: CheckFlags): Promise<void> {
  const context = processContext(withMock(PROVIDER_KINDS, IDLE_MOCK));
  const read = readConfig(flags.config, context);
  if ('problems' in read) return fail(read.problems.map(formatProblem));
  for (const warning of read.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  const problems = flags.envoy === undefined ? [] : await envoyProblems(read.snapshot, flags.envoy);
  if (problems.length > 0) return fail(problems);
  process.stdout.write(`${describeConfig(read.snapshot)}: no mistakes\n`);
  if (flags.envoy !== undefined) process.stdout.write(`${flags.envoy}: has what this configuration needs\n`);
}

/** What the gateway needs first, then Envoy's own opinion where there is an Envoy. */
async function envoyProblems(snapshot: Snapshot, file: string): Promise<readonly string[]> {
  const text = readText(file);
  if (text === null) return [`${file}: cannot read the file`];
  const missing = checkEnvoyConfig(snapshot, text).map((problem) => `${file}: ${problem}`);
  const envoy = findEnvoy(snapshot.envoy.binary, process.env);
  if ('problem' in envoy) {
    process.stderr.write(`${file}: not validated by Envoy itself: none was found\n`);
    return missing;
  }
  const complaints = await validateWithEnvoy(envoy.path, file);
  // Where the bootstrap is checked need not be where it runs: what the service writes at its start may not be there.
  const absent = complaints.filter((complaint) => complaint.includes('must refer to an existing path'));
  for (const complaint of absent) process.stderr.write(`${file}: not validated by Envoy itself: ${complaint}\n`);
  return [
    ...missing,
    ...complaints.filter((complaint) => !absent.includes(complaint)).map((problem) => `${file}: ${problem}`),
  ];
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function fail(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.stderr.write(lines.length === 1 ? '1 mistake\n' : `${lines.length} mistakes\n`);
  process.exitCode = 1;
}
