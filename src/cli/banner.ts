import type { FoundProvider } from '../config/default-config.js';

export interface BannerFacts {
  /** `http://127.0.0.1:8080`, without a path. */
  readonly gateway: string;
  /** `http://127.0.0.1:8090`. */
  readonly admin: string;
  /** The config file, or null for the built-in default. */
  readonly config: string | null;
  /** Only where the key is ours to show: without a config file. */
  readonly key: string | null;
  /** Kinds that the environment can turn on; empty with a config file. */
  readonly providers: readonly FoundProvider[];
  /** A name that can be asked for at once. */
  readonly model: string;
  /** Milliseconds from the start of the command. */
  readonly startedInMs: number;
}

const WIDTH = 100;

type Paint = (text: string) => string;

/**
 * What the first screen says, ending with a line break. Commands stand alone on their lines, unindented, so that they can be
 * copied from a terminal or a log alike.
 */
export function banner(facts: BannerFacts, colour: boolean): string {
  const bold: Paint = colour ? (text) => `\u001b[1m${text}\u001b[22m` : (text) => text;
  const dim: Paint = colour ? (text) => `\u001b[2m${text}\u001b[22m` : (text) => text;
  const key = facts.key ?? '$TOLLGATE_KEY';
  const base = `${facts.gateway}/v1`;
  const sections = [
    [bold(`Tollgate is ready (${(facts.startedInMs / 1000).toFixed(1)} s)`)],
    [
      `  base URL     ${bold(base)}`,
      `  gateway key  ${facts.key === null ? `one of "keys" in ${facts.config}` : bold(facts.key)}`,
      `  console      ${facts.admin}/`,
      `  metrics      ${facts.admin}/metrics`,
      `  config       ${facts.config ?? 'built-in (no tollgate.yaml here)'}`,
    ],
    providerLines(facts.providers, dim),
    [bold('Ask it something:'), '', curl({ base, key, model: facts.model, stream: false })],
    [bold('The same as a stream:'), '', curl({ base, key, model: facts.model, stream: true })],
    [bold('In your app, two lines change:'), '', ...sdkLines(base, key, dim)],
    [
      `${bold('Tokens and cost so far:')} tollgate usage ${dim('(from a checkout: npm run tollgate -- usage)')}`,
      `${bold('Stop:')} Ctrl-C`,
    ],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `\n${text.join('\n\n')}\n\n`;
}

/** True when colours are welcome: a terminal, and https://no-color.org not invoked. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

function providerLines(providers: readonly FoundProvider[], dim: Paint): readonly string[] {
  if (providers.length === 0) return [];
  const on = providers.filter((provider) => provider.found);
  const off = providers.filter((provider) => !provider.found).map((provider) => provider.variable);
  const width = Math.max(...on.map((provider) => provider.kind.length), 'mock'.length);
  return [
    'Providers (set a variable and restart to turn one on):',
    `  ${'mock'.padEnd(width)}  built in`,
    ...on.map(({ kind, variable }) => `  ${kind.padEnd(width)}  found    ${variable}`),
    ...wrapped('  not set: ', off).map(dim),
  ];
}

/** Words after a heading, broken at the width of a terminal and indented below each other. */
function wrapped(heading: string, words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const [index, word] of words.entries()) {
    const text = index === words.length - 1 ? word : `${word},`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length < WIDTH) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(`${lines.length === 0 ? heading : ' '.repeat(heading.length)}${text}`);
  }
  return lines;
}

function curl(call: { base: string; key: string; model: string; stream: boolean }): string {
  const message = [{ role: 'user', content: 'Hello, who are you?' }];
  const body = { model: call.model, ...(call.stream ? { stream: true } : {}), messages: message };
  return [
    `curl ${call.stream ? '-N ' : ''}${call.base}/chat/completions \\`,
    // Double quotes: where no key is shown, the shell puts $TOLLGATE_KEY in.
    `  -H "Authorization: Bearer ${call.key}" -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ].join('\n');
}

function sdkLines(base: string, key: string, dim: Paint): readonly string[] {
  const python = key.startsWith('$') ? 'os.environ["TOLLGATE_KEY"]' : `"${key}"`;
  const script = key.startsWith('$') ? 'process.env.TOLLGATE_KEY' : `'${key}'`;
  return [
    dim('# Python'),
    `client = OpenAI(base_url="${base}",`,
    `                api_key=${python})`,
    '',
    dim('// JavaScript'),
    `const client = new OpenAI({ baseURL: '${base}',`,
    `                            apiKey: ${script} })`,
  ];
}
