import { type Options, readOptions } from './options.js';
import { endWithParents } from './parents.js';

/** One measurement of `npm run bench -- NAME`. */
interface Command {
  /** One line for `--help`. */
  readonly shows: string;
  /** Prints Markdown on stdout. Loaded when asked for, so that each command starts with its own code only. */
  run(options: Options): void | Promise<void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  micro: {
    shows: 'the hot cases one by one, an older revision (--base REV) against the files here',
    run: async (options) => (await import('./micro/run/run.js')).measureMicro(options),
  },
  e2e: {
    shows: 'plain Envoy against Envoy + Tollgate with everything on, by scenario (bench:e2e; --list names them)',
    run: async (options) => {
      const { measureEndToEnd, scenarioHelp } = await import('./e2e/run.js');
      if (options.has('list')) console.log(scenarioHelp());
      else await measureEndToEnd(options);
    },
  },
  failover: {
    shows: 'the look at the first bytes, and the way to a second target',
    run: async ({ short }) => (await import('./failover.js')).measureFailover(short ? 15 : 60),
  },
  limits: {
    shows: 'hold and settlement alone, counters in memory and in Redis',
    run: async ({ short }) => (await import('./limits.js')).measureLimits(short ? 2000 : 100_000),
  },
  limiter: {
    shows: 'finding the limits that cover a request among 1,000',
    run: async ({ short }) => (await import('./limiter.js')).measureLimiter(short ? 3 : 10),
  },
  long: {
    shows: 'small requests beside bodies of many megabytes',
    run: async ({ short, rounds }) =>
      (await import('./long.js')).measureLong({ rounds: rounds ?? (short ? 1 : 3), seconds: short ? 4 : 6 }),
  },
  rules: {
    shows: 'a whole gateway with 10,000 keys and 1,000 limits',
    run: async ({ short, rounds }) =>
      (await import('./rules.js')).measureRules({ rounds: rounds ?? (short ? 1 : 5), requests: short ? 500 : 4000 }),
  },
  translate: {
    shows: 'translation between dialects: requests, events, end to end',
    run: async ({ short, rounds }) =>
      (await import('./translate.js')).measureTranslation({
        rounds: rounds ?? (short ? 1 : 5),
        requests: short ? 20 : 80,
      }),
  },
  transport: {
    shows: 'the ways to carry gRPC, side by side',
    run: async ({ short, rounds }) =>
      (await import('./transport.js')).measureTransports({ rounds: rounds ?? (short ? 1 : 5), share: short ? 0.1 : 1 }),
  },
  workers: {
    shows: 'one service process against two, counters in Redis',
    run: async ({ short, rounds }) =>
      (await import('./workers.js')).measureWorkers({
        rounds: rounds ?? (short ? 1 : 5),
        requests: short ? 1000 : 4000,
      }),
  },
  peers: {
    shows: 'other gateways beside Tollgate, same upstream, same load (npm run bench:peers -- install first)',
    run: async (options) => (await import('./peers/run.js')).measurePeers(options),
  },
  profile: {
    shows: "where the service's time goes, by thread and room (--top: by function)",
    run: async (options) =>
      (await import('./profile.js')).measureProfile({
        share: options.short ? 0.1 : 1,
        top: options.has('top') ? 60 : 0,
      }),
  },
};
const DEFAULT = 'micro';

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { shows }]) => `  ${name.padEnd(width)}  ${shows}`);
  return [
    `npm run bench -- [NAME] [--short] [--rounds N] …   (no name: ${DEFAULT})`,
    '',
    ...lines,
    '',
    'Results are Markdown on stdout, progress is on stderr.',
  ].join('\n');
}

const words = process.argv.slice(2);
const [first] = words;
const named = first !== undefined && !first.startsWith('--');
const command = COMMANDS[named ? first : DEFAULT];
if (words.includes('--help')) {
  console.log(help());
} else if (command === undefined) {
  console.error(`no measurement is called "${first}"\n\n${help()}`);
  process.exitCode = 2;
} else {
  endWithParents(process.env['TOLLGATE_BENCH_PARENTS']);
  try {
    await command.run(readOptions(named ? words.slice(1) : words));
  } catch (problem) {
    process.exitCode = 1;
    console.error(problem);
  }
  // Children and sockets that are left must not keep it alive; what they have started ends with us (keeper.ts).
  process.exit();
}
