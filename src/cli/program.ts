import { Command, CommanderError } from 'commander';
import { VERSION } from '../app/version.js';
import { checkCommand } from './check.js';
import { envoyCommand } from './envoy.js';
import { withConfigFlag } from './flags.js';
import { importCommand } from './import.js';
import { invoiceCommand } from './invoice.js';
import { keysCommand } from './keys.js';
import { ledgerCommand } from './ledger.js';
import { mockCommand } from './mock.js';
import { pricesCommand } from './prices.js';
import { printConfigCommand } from './print-config.js';
import { runCommand } from './run.js';
import { schemaCommand } from './schema.js';
import { serveCommand } from './serve.js';
import { upCommand } from './up.js';
import { usageCommand } from './usage.js';
import { UserError } from './user-error.js';

/** Of the whole command line: 0 done · 1 something is wrong and was said · 2 the command line itself is not understood. */
const EXIT = { problem: 1, usage: 2 } as const;

const COMMANDS = [
  upCommand,
  serveCommand,
  runCommand,
  envoyCommand,
  checkCommand,
  printConfigCommand,
  schemaCommand,
  importCommand,
  keysCommand,
  usageCommand,
  pricesCommand,
  invoiceCommand,
  ledgerCommand,
  mockCommand,
];

const HELP = `
Examples:
  $ tollgate up                          the gateway with what is in the environment
  $ tollgate up --config tollgate.yaml   the gateway as configured
  $ tollgate check                       all mistakes in the config file
  $ tollgate run -- python app.py        a program with a gateway of its own
  $ tollgate usage --by team,model       tokens and cost

Every command explains itself: tollgate COMMAND --help`;

/** All commands. `--config` may stand before the command or after it. */
export function createProgram(): Command {
  const program = withConfigFlag(new Command('tollgate'))
    .description('LLM API gateway beside Envoy')
    .version(VERSION, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', HELP);
  for (const make of COMMANDS) {
    const command = make();
    inherit(command, program);
    program.addCommand(command);
  }
  return program.hook('preAction', (_, command) => passConfigDown(program, command));
}

/**
 * Runs one command line (`process.argv`).
 *
 * @returns the exit code; a command that goes on listening has returned too, and its process lives on
 */
export async function runProgram(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has said what is wrong, or printed the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    process.stderr.write(`tollgate: ${describe(error)}\n`);
    // Not by return: whatever the command had opened before it failed would keep the process alive.
    process.exit(EXIT.problem);
  }
}

function describe(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

function passConfigDown(program: Command, command: Command): void {
  const config: unknown = program.getOptionValue('config');
  const takesConfig = command.options.some((option) => option.attributeName() === 'config');
  if (config === undefined || !takesConfig || command.getOptionValueSource('config') === 'cli') return;
  command.setOptionValueWithSource('config', config, 'cli');
}
