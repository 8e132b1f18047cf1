import { notYetSupported } from './not-yet.js';
import { CONDITIONS, LIMITS_EXAMPLE } from './reference-conditions.js';
import { RETRY_WORDS } from './retry-on.js';
import { inputSchema, type SchemaNode } from './schema.js';

/** A short complete configuration: the top of the reference. A test loads it. */
export const EXAMPLE_CONFIG = `gateway:
  listen: 0.0.0.0:8080
providers:
  openai: { kind: openai, credentials: "\${OPENAI_API_KEY}" }
  local: { kind: openai-compatible, base_url: http://127.0.0.1:11434/v1 }
models:
  smart:
    targets: [openai/gpt-5, local/llama3.3]
    retry: { attempts: 3, first_token: 10s }
  fast:
    targets: [{ model: openai/gpt-5-mini, weight: 80 }, { model: local/llama3.2, weight: 20, retry: { response: 10m } }]
    balance: weighted
keys:
  - { id: web, secret: "\${WEB_KEY}", labels: { team: search }, models: [smart, "openai/*"], expires: 2027-01-01 }
${LIMITS_EXAMPLE}prices:
  - { model: "local/*", input: 0, output: 0 }
`;

const FORMATS: Readonly<Record<string, string>> = {
  'time-span': 'duration',
  'time-span-or-off': 'duration or `off`',
  'share-or-off': 'percentage or `off`',
  'retry-reason': 'status or word',
  condition: 'condition',
  currency: 'currency',
  decimal: 'number',
  field: 'field',
  percentage: 'percentage',
  share: 'share or percentage',
  window: 'window',
  size: 'size',
  address: 'address',
  moment: 'date or time',
  url: 'URL',
  'time-zone': 'time zone',
  path: 'path',
  secret: 'secret',
  hash: 'text',
};

/** `docs/configuration.md`: every setting with its type, default, meaning and an example, rendered from the schema. */
export function configurationReference(): string {
  const schema = inputSchema();
  const sections = Object.entries(schema.properties ?? {}).map(([name, node]) => section(name, node));
  return `${[INTRODUCTION, EXAMPLE, WRITING, ...sections, MISSING].join('\n\n')}\n`;
}

const REASONS: Readonly<Record<string, string>> = {
  '429':
    'The provider limits the rate. Its `retry-after` keeps requests from this target for that time, and never delays the next one.',
  '5xx': 'Any status from 500 to 599.',
  connect: 'Refused, no such host, no TLS: the request was not sent.',
  reset: 'The connection broke before the answer began.',
  timeout: 'No response headers in time: `response`, for streams `first_token`.',
  first_token: 'A stream that has its headers, but no first token within `first_token`.',
  error_event: 'An error inside a 200, before the first token.',
  empty: 'A stream that ends before its first token.',
  auth: "The provider refuses its own credential. It is never the client's 401.",
  context_length: 'The input is too long for this target: only targets with a larger context window are tried.',
  content_filter: "The provider's filter refuses the content.",
};

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run generate\`. Do not edit. -->

One YAML file: \`tollgate.yaml\`, or what \`--config\` or \`TOLLGATE_CONFIG\` names. \`tollgate check\` shows all mistakes at once,
each as \`file:line:column: path: message\`; \`tollgate print-config\` shows what is in effect, with secrets masked;
\`tollgate schema\` prints a JSON Schema for editors.

Without a file Tollgate runs with the built-in mock and with each provider whose key is in the environment.`;

const EXAMPLE = `\`\`\`yaml\n${EXAMPLE_CONFIG}\`\`\`

[examples/limits.yaml](examples/limits.yaml) is a longer one: budgets, billing, identity, and a shared store.`;

const WRITING = `## How values are written

| Type | Written as |
|---|---|
| duration | \`100ms\` \`10s\` \`5m\` \`1h\`, also \`1h30m\`, \`1.5s\` and \`90d\` (a day is 24 hours) |
| percentage | \`20%\` |
| size | \`512KiB\` \`32MiB\` (powers of 1,024), \`10MB\` (powers of 1,000), or a number of bytes |
| address | \`host:port\`, \`[::1]:port\`, or \`:port\` for every interface; port 0 takes a free one |
| window | \`minute\` \`hour\` \`day\` \`week\` \`month\` \`total\`, or a duration |
| condition | an expression, see [Conditions](#conditions) |
| path | relative to the directory of the configuration file, or absolute |
| date or time | \`2027-01-01\` (00:00 UTC) or \`2027-01-01T12:00:00Z\` |
| secret | printable ASCII; best as a reference, see below |

Every value may be, or contain, a reference:

- \`\${VAR}\`: an environment variable; one that is not set is an error.
- \`\${VAR:-default}\`: the default counts when the variable is not set or empty.
- \`file:/path\`: the content of a file without its last line breaks. The file is watched, so a rotated secret is picked up.
- \`$\${\` stands for a literal \`\${\`.

Inside \`{ }\` and \`[ ]\` put references in quotes: \`{ credentials: "\${OPENAI_API_KEY}" }\`.

The file is watched. A changed file is loaded, checked and then used by new requests; one with mistakes is reported and
the old one stays in use. Listeners, \`gateway.body_limit\`, \`gateway.tls\`, \`admin.pepper\`, \`envoy\`, \`store\`, \`ledger\`,
\`records\` and \`runtime_directory\` need a restart.`;

const RETRIES = `### Retries

| \`retry.on\` | What happened |
|---|---|
${[...new Set(['429', ...RETRY_WORDS])].map((word) => `| \`${word}\` | ${REASONS[word] ?? ''} |`).join('\n')}

Any other status from 400 to 599 may stand there too. All of these but \`content_filter\` are on unless \`retry.on\` says
otherwise. After the first token nothing is tried again: the client has a part of the answer. A plain \`provider/model\` that no entry of
\`models\` names uses the defaults of this section.`;

/** What follows the table of a section. */
const PAGES: Readonly<Record<string, readonly string[]>> = { models: [RETRIES], limits: [CONDITIONS] };

const MISSING = `## Not yet supported

These are errors, never ignored: ${notYetSupported().join(', ')}.`;

function section(name: string, node: SchemaNode): string {
  const rows = rowsOf(name, node);
  const more = PAGES[name] ?? [];
  return [`## \`${name}\``, node.description ?? '', table(rows), ...more].join('\n\n');
}

interface Row {
  readonly setting: string;
  readonly type: string;
  readonly fallback: string;
  readonly meaning: string;
  readonly example: string;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ setting, type, fallback, meaning, example }) => {
    return `| ${[`\`${setting}\``, type, fallback, meaning, example].map(cell).join(' | ')} |`;
  });
  return ['| Setting | Type | Default | Meaning | Example |', '|---|---|---|---|---|', ...lines].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** One row per setting that has a value of its own; groups appear as the beginning of their settings' names. */
function rowsOf(setting: string, node: SchemaNode, isRequired = false): readonly Row[] {
  const inner = innerOf(setting, node);
  const children = inner.nodes.flatMap(({ properties, required }) => {
    return Object.entries(properties ?? {}).map(
      ([name, child]) => [name, child, required?.includes(name) ?? false] as const,
    );
  });
  const isGroup = node.properties !== undefined;
  const isCollection = inner.setting !== setting && children.length > 0;
  // A group that is simply there needs no row; one that can be left out does.
  const isPlain = (isGroup && node.default !== undefined) || (isCollection && !setting.includes('.'));
  const own = isPlain ? [] : [row(setting, node, isRequired)];
  return [
    ...own,
    ...children.flatMap(([name, child, required]) => rowsOf(`${inner.setting}.${name}`, child, required)),
  ];
}

/** Where the settings below a node are: in the node, in each value of a map, in each item of a list. */
function innerOf(
  setting: string,
  node: SchemaNode,
): { readonly setting: string; readonly nodes: readonly SchemaNode[] } {
  if (node.properties !== undefined) return { setting, nodes: [node] };
  if (typeof node.additionalProperties === 'object') {
    return innerOf(`${setting}.<name>`, node.additionalProperties);
  }
  if (node.items !== undefined) return innerOf(`${setting}[]`, node.items);
  const branches = (node.anyOf ?? []).map((branch) => innerOf(setting, branch));
  const group = branches.find((branch) => branch.nodes.length > 0);
  return group ?? { setting, nodes: [] };
}

function row(setting: string, node: SchemaNode, isRequired: boolean): Row {
  return {
    setting,
    type: typeOf(node),
    fallback: isRequired ? 'required' : fallbackOf(node.default),
    meaning: node.description ?? '',
    example: node.example === undefined ? '' : `\`${node.example}\``,
  };
}

function fallbackOf(value: unknown): string {
  if (value === undefined) return 'not set';
  if (Array.isArray(value) && value.length > 0) return `\`[${value.join(', ')}]\``;
  if (typeof value === 'object') return 'empty';
  return `\`${String(value)}\``;
}

function typeOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(' or ');
  if (node.format !== undefined) return FORMATS[node.format] ?? node.format;
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ');
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (typeof node.additionalProperties === 'object') return `map of ${typeOf(node.additionalProperties)}`;
  if (node.properties !== undefined) return mapText(Object.keys(node.properties));
  return { integer: 'whole number', boolean: 'true or false', string: 'text' }[node.type ?? ''] ?? node.type ?? '';
}

/** A long list of names says less than the rows that follow. */
function mapText(names: readonly string[]): string {
  return names.length > MOST_NAMES ? 'map of settings' : `{ ${names.join(', ')} }`;
}

const MOST_NAMES = 6;
