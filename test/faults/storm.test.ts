/** Two of three providers fail at random, in every way that a client need not see, and are put aside meanwhile. */
import t from 'tap';
import type { FinalEntry } from '../../src/accounting/ledger/entry.js';
import { type Gateway, type RequestRecord, startGateway } from '../e2e/harness.js';
import { type Behave, type Script, type Scripted, startScripted, streamScript } from '../e2e/scripted.js';
import { seededRandom } from '../seeded-random.js';
import { ask, type Seen } from './scenarios/ask.js';

const SEED = 20_260_401;
const STREAMS = 300;
const PARALLEL = 50;
const NAMES = ['one', 'two', 'three'] as const;
type Name = (typeof NAMES)[number];
const WORDS = 20;

const SSE = { 'content-type': 'text/event-stream' };
const words = (name: Name): readonly string[] => Array.from({ length: WORDS }, (_, at) => `t-${name}-${at} `);
const well = (name: Name) => streamScript('m', words(name));

const FAULTS: readonly ((name: Name) => Script)[] = [
  () => ({ status: 429, headers: { 'retry-after-ms': '300' }, chunks: ['{"error":{"message":"slow down"}}'] }),
  () => ({ status: 500, chunks: ['{"error":{"message":"oops"}}'] }),
  () => ({ status: 503, chunks: ['busy'] }),
  () => ({ status: 529, chunks: ['{"error":{"message":"overloaded"}}'] }),
  () => ({ instead: 'reset' }),
  () => ({ instead: 'close' }),
  () => ({ instead: 'hang' }),
  (name) => ({ ...well(name), hold: 0 }),
  (name) => ({ ...well(name), hold: 1 }),
  () => ({ headers: SSE }),
  () => ({ headers: SSE, chunks: [': ping\n\n', ': ping\n\n'] }),
  () => ({ headers: SSE, chunks: ['data: {"error":{"message":"overloaded","code":503}}\n\n'] }),
  () => ({ chunks: ['{"error":{"message":"no capacity"}}'] }),
  (name) => ({ ...well(name), chunks: well(name).chunks.slice(0, 1), end: 'reset' }),
  (name) => ({ ...well(name), chunks: well(name).chunks.slice(0, 1), end: 'fin' }),
];

let gateway: Gateway;
let providers: Readonly<Record<Name, Scripted>>;
const random = seededRandom(SEED);

/** Two requests in three meet a fault. */
const unsteady =
  (name: Name): Behave =>
  () =>
    (random() < 1 / 3 ? undefined : FAULTS[Math.floor(random() * FAULTS.length)])?.(name) ?? well(name);

t.before(async () => {
  const [one, two, three] = await Promise.all([startScripted(), startScripted(), startScripted()]);
  providers = { one, two, three };
  t.teardown(() => Promise.all([one.close(), two.close(), three.close()]).then(() => {}));
  one.on('m', unsteady('one'));
  two.on('m', unsteady('two'));
  three.on('m', well('three'));
  const account = (name: Name) => [name, { kind: 'openai-compatible', base_url: providers[name].baseUrl }] as const;
  const retry = { first_token: '2s' };
  gateway = await startGateway(t, {
    config: {
      providers: Object.fromEntries(NAMES.map(account)),
      models: { storm: { targets: NAMES.map((name) => `${name}/m`), retry, retry_budget: 'off' } },
    },
  });
});

async function send(): Promise<Seen> {
  const body = JSON.stringify({ model: 'storm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const url = `${gateway.url}/v1/chat/completions`;
  return ask({ url, key: gateway.key, protocol: 'http/1.1', form: 'stream', body, onContent: () => {} });
}

async function storm(): Promise<readonly Seen[]> {
  const answers: Seen[] = [];
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < STREAMS) {
      sent += 1;
      answers.push(await send());
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, client));
  return answers;
}

/** What is wrong with an answer, in one line; null when it is whole and of one provider. */
function flaw(seen: Seen, record: RequestRecord): string | null {
  const provider = record.target?.split('/')[0] as Name;
  const said = [...seen.text.matchAll(/"content":"([^"\n]*)"/g)].map(([, word]) => word).join('');
  const last = record.attempts.at(-1);
  const isWhole = seen.status === 200 && seen.complete && seen.text.split('[DONE]').length === 2;
  const isOne = NAMES.includes(provider) && said === words(provider).join('') && !seen.text.includes('"error"');
  const isRight =
    last?.outcome === 'success' &&
    last.target === record.target &&
    record.attempts.slice(0, -1).every(({ outcome, reason }) => outcome === 'error' && reason !== null) &&
    record.usage.output === WORDS &&
    record.cost_nano_usd === 7 * 1000 + WORDS * 2000;
  return isWhole && isOne && isRight ? null : JSON.stringify({ seen, record });
}

t.test(`${STREAMS} streams, ${PARALLEL} at once`, async (t) => {
  const answers = await storm();
  const records = new Map<string, RequestRecord>();
  const flaws: string[] = [];
  for (const seen of answers) {
    const record = await gateway.record(String(seen.headers['x-request-id']));
    records.set(record.id, record);
    const found = flaw(seen, record);
    if (found !== null) flaws.push(found);
  }
  t.same(flaws, [], 'whole answers of exactly one provider each');
  t.equal(records.size, STREAMS, 'one record each');

  const attempts = [...records.values()].flatMap((record) => record.attempts);
  for (const name of NAMES) {
    const made = attempts.filter(({ target, reason }) => target === `${name}/m` && reason !== 'connect').length;
    t.equal(made, providers[name].captures.length, `${name}: attempts in records = requests received`);
  }
  const reasons = new Set(attempts.map(({ reason }) => reason));
  t.comment(`${attempts.length} attempts, reasons: ${[...reasons].join(', ')}`);
  t.ok(attempts.length > STREAMS, 'there was a storm');

  await gateway.idle();
  const finals = gateway.ledger().filter((entry): entry is FinalEntry => entry.type !== 'hold');
  t.same(gateway.unsettled(), [], 'every hold has its one end');
  t.equal(finals.length, STREAMS, 'one final entry each');
  const cost = finals.reduce((total, entry) => total + (entry.cost_nano_usd ?? 0), 0);
  t.equal(cost, STREAMS * (7 * 1000 + WORDS * 2000), 'only whole answers are paid');
});
