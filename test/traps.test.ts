import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';

/**
 * What others got wrong on the way between providers and their clients' dialects. Each has a test whose name begins with its
 * number; the page lists them. `UPDATE_GOLDEN=1` writes the list.
 */
const TRAPS: readonly string[] = [
  'cache reads priced as fresh input, only when streaming',
  'tokens that are written to the cache charged twice',
  'Claude on Bedrock streamed: the cache added into the input, then again',
  'usage of `message_start` and `message_delta` summed',
  'input and cache that only `message_delta` states ignored',
  'OpenAI’s `cache_write_tokens` missing in the cost',
  'the step of a long context not applied to writes to the cache',
  'service tiers combined wrongly with long contexts',
  'Gemini’s thoughts missing in the completion',
  'Gemini’s usage multiplied by the number of chunks',
  'Perplexity’s cumulative usage summed',
  'usage on every chunk billed every time',
  'cumulative chunks summed for the client',
  'xAI’s reasoning outside the completion, and the opposite mistake for others',
  'Moonshot’s usage inside the choice',
  'nothing metered because the client did not ask for usage',
  '… the same on legacy completions',
  'an injected `stream_options` that reaches Google',
  'nothing booked when the client leaves',
  'the placeholder of one token booked when the client leaves',
  'Codex, which leaves when it has its call',
  'a streamed tool without arguments: `""`',
  'a `{}` of the block’s start before the arguments',
  'the index of a content block as the index of a call',
  '`stop` in place of `tool_calls` in streams',
  'results of parallel calls spread over turns',
  'Mistral’s ids of nine characters after a failover',
  'Gemini’s thought signatures lost',
  'Claude’s signatures lost on the way through OpenAI’s shape',
  'DeepSeek’s `reasoning_content` not sent back',
  'betas of Claude Code refused by Bedrock and Vertex AI',
  'keywords of JSON Schema that Gemini refuses',
  '`max_completion_tokens` ignored for Gemini',
  'CRLF frames that come out at the end only',
  'a CR and its LF in two pieces taken for two line ends',
  'comments sent on as data',
  'events and characters split between pieces',
  'packed answers not metered, or said to be packed when they are not any more',
  'a packed answer read as text',
  '`overloaded_error` inside a 200',
  'OpenRouter’s error chunk taken for an empty success',
  'Azure’s first chunk without choices',
  'zero input in `message_start`',
  'tools of vLLM that differ behind a translation',
  'the model of an audio form not replaced',
];

const PAGE = 'docs/translation.md';
/** At the beginning of a name: `trap 7: `, `trap 34, 35: `. */
const NAME = /['"`]trap (\d+(?:(?:, | and )\d+)*): /g;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'test'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file.endsWith('.test.ts') && existsSync(file));

/** Numbers of traps that the names of a file's tests begin with. */
function named(file: string): readonly number[] {
  const lists = [...readFileSync(file, 'utf8').matchAll(NAME)].map(([, list = '']) => list.split(/, | and /));
  return lists.flat().map(Number);
}

/** Files with a test of each trap, by its number. */
function provedBy(): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, Set<string>>(TRAPS.map((_, at) => [at + 1, new Set()]));
  for (const file of files.toSorted()) for (const number of named(file)) found.get(number)?.add(file);
  return new Map([...found].map(([number, names]) => [number, [...names]]));
}

t.test('every trap has a test', async (t) => {
  t.equal(TRAPS.length, 45);
  for (const [number, proofs] of provedBy()) t.ok(proofs.length > 0, `trap ${number}: ${TRAPS[number - 1]}`);
});

t.test('no test names a trap that there is not', async (t) => {
  const numbers = files.flatMap(named);
  t.same(
    numbers.filter((number) => number < 1 || number > TRAPS.length),
    [],
  );
});

t.test('the page lists them', async (t) => {
  const [begin, end] = ['<!-- traps -->\n', '<!-- end of traps -->'];
  const rows = [...provedBy()].map(([number, proofs]) => {
    return `| ${number} | ${TRAPS[number - 1]} | ${proofs.map((file) => `\`${file.slice('test/'.length)}\``).join(', ')} |`;
  });
  const list = `${['| | trap | proved in `test/` |', '|---|---|---|', ...rows].join('\n')}\n`;
  const page = readFileSync(PAGE, 'utf8');
  const [before = '', rest = ''] = page.split(begin);
  const after = rest.slice(rest.indexOf(end));
  t.ok(after.startsWith(end), 'there is a place for the list');
  const current = before + begin + list + after;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, current);
  else t.ok(page === current, `${PAGE} is current: UPDATE_GOLDEN=1 writes it`);
});
