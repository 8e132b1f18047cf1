/** A replay against the provider's own count. `TOLLGATE_REPLAY=1000000` is the long form. */
import t from 'tap';
import { startCountingProvider } from '../../faults/kills/counting-provider.js';
import { figuresOf, joinAll } from '../../faults/kills/figures.js';
import { Load } from '../../faults/kills/load.js';
import { startGateway } from '../harness.js';

const REQUESTS = Number(process.env['TOLLGATE_REPLAY'] ?? 2_000);
const CLIENTS = 150;
/** Nano-dollars of a token. */
const PRICE = { input: 1_000, output: 4_000 };
const MOST_ABOVE = 1.02;
if (REQUESTS > 2_000) t.setTimeout(0);

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
  const shares = { json: 0.8, aborts: 0.05, failovers: 0.02 };
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
  const ratio = cut.ledger_nano_usd / cut.provider_nano_usd;
  t.ok(ratio >= 1 && ratio <= MOST_ABOVE, `${cut.requests} that were left: ${ratio.toFixed(4)} of the truth`);
  t.comment(`${whole.requests} whole: exact; ${cut.requests} left: ${ratio.toFixed(4)}, ${cut.below} of them below`);
});
