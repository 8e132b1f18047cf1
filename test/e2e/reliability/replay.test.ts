/** A replay against the provider's own count. `TOLLGATE_REPLAY=1000000` is the long form. */
import t from 'tap';
import { startCountingProvider } from '../../faults/kills/counting-provider.js';
import { figuresOf, joinAll } from '../../faults/kills/figures.js';
import { Load } from '../../faults/kills/load.js';
import { startGateway } from '../harness.js';

const REQUESTS = Number(process.env['TOLLGATE_REPLAY'] ?? 2_000);
const CLIENTS = 60;
/** Nano-dollars of a token. */
const PRICE = { input: 1_000, output: 4_000 };
/** What was cut may be so far from the provider's count: on a busy machine tokens are on their way that nobody has seen. */
const WITHIN = 0.02;
t.setTimeout(REQUESTS > 2_000 ? 0 : 120_000);

t.test(`case 60: ${REQUESTS} requests, some broken off, some served by the second target`, async (t) => {
  let load: Load | null = null;
  const provider = await startCountingProvider((marker) => load?.plan(marker));
  t.teardown(() => provider.close());
  const account = (name: string) => ({ kind: 'openai-compatible', base_url: provider.baseUrl(name) });
  const gateway = await startGateway(t, {
    config: {
      providers: { first: account('first'), second: account('second') },
      models: { pair: { targets: ['first/gpt-kills', 'second/gpt-kills'], retry_budget: 'off' } },
      prices: [{ model: '*', input: PRICE.input / 1_000, output: PRICE.output / 1_000 }],
      limits: [{ name: 'spend', cost: { max: 1_000_000, window: 'total' } }],
    },
  });
  const shares = { json: 0.9, aborts: 0.1, failovers: 0.02 };
  load = new Load({ url: gateway.url, key: gateway.key, seed: 60, clients: CLIENTS, shares });
  load.start();
  await provider.reached(REQUESTS);
  await load.stop();
  await gateway.idle();
  await gateway.settled();

  const entries = gateway.ledger();
  const joined = joinAll(load.sent, provider.served, entries);
  const figures = figuresOf(load.sent, joined, { entries, price: PRICE });
  const { whole, 'cut by client': cut } = figures.endings;
  t.same([figures.missing, figures.double, figures.unfounded], [0, 0, 0], 'one entry for each');
  t.ok(figures.failovers > 0 && cut.requests > 0, `${figures.failovers} failed over, ${cut.requests} left`);
  const wrong = joined.filter(({ ending, served, finals: [entry] }) => {
    const answer = served.find(({ status }) => status === 200);
    return ending === 'whole' && (entry?.usage.input !== answer?.input || entry?.usage.output !== answer?.output);
  });
  t.same(wrong, [], 'what ended is booked as the provider counted it');
  t.equal(whole.ledger_nano_usd - whole.provider_nano_usd, 0, `${whole.requests} whole answers, to the nano-dollar`);
  const unpaid = joined.filter(({ ending, sent, finals: [entry] }) => {
    const { leave } = sent.plan;
    const seen = leave && 'afterEvents' in leave ? leave.afterEvents : 0;
    return ending === 'cut by client' && (entry?.usage.output ?? 0) < seen;
  });
  t.same(unpaid, [], 'nobody pays less than the tokens that it has got');
  const ratio = cut.ledger_nano_usd / cut.provider_nano_usd;
  t.ok(Math.abs(ratio - 1) <= WITHIN, `${cut.requests} that were left: ${ratio.toFixed(4)} of the truth`);
  t.comment(`${whole.requests} whole: exact; ${cut.requests} left: ${ratio.toFixed(4)}, ${cut.below} of them below`);
});
