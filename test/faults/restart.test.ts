import { Agent } from 'node:http';
import t from 'tap';
import { opened } from '../e2e/client.js';
import { startGateway } from '../e2e/harness.js';
import { startScripted, streamScript } from '../e2e/scripted.js';

/** Well above the 1,000 resets after which Node would close the connection. */
const REQUESTS = 3500;
const WORDS = ['one ', 'two ', 'three '];

function body(model: string, stream = false): string {
  return JSON.stringify({ model: `p/${model}`, stream, messages: [{ role: 'user', content: 'hello' }] });
}

t.test(
  `${REQUESTS} requests and ${REQUESTS} aborts beside one long stream, then new generations under load`,
  async (t) => {
    const provider = await startScripted();
    t.teardown(() => provider.close());
    const gateway = await startGateway(t, {
      config: { providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } } },
    });
    const url = `${gateway.url}/v1/chat/completions`;
    const headers = { authorization: `Bearer ${gateway.key}` };
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    t.teardown(() => agent.destroy());
    provider.on('long', { ...streamScript('long', WORDS), hold: 2 });
    provider.on('left', (capture) => ({ ...streamScript(capture.model ?? '', WORDS), hold: 2 }));
    const long = await opened(url, { headers, body: body('long', true) });
    await long.until('one ');

    const statuses = await inParallel(REQUESTS, 16, async () => {
      const answer = await opened(url, { headers, body: body('short'), agent });
      return (await answer.finished()).status;
    });
    t.same([...new Set(statuses)], [200], 'every request is answered');

    const aborted = await inParallel(REQUESTS, 16, async () => {
      const answer = await opened(url, { headers, body: body('left', true) });
      await answer.until('one ');
      answer.abort();
      return answer.status;
    });
    t.same([...new Set(aborted)], [200], 'every abandoned stream had begun');
    const again = await gateway.post('/v1/chat/completions', body('short'));
    t.equal(again.status, 200);

    // New generations while requests go on; the long stream stays with the first one to its end.
    let going = true;
    const during: number[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (going) {
        const answer = await opened(url, { headers, body: body('short', during.length % 2 === 0), agent });
        during.push((await answer.finished()).status);
      }
    });
    const first = gateway.pid('service');
    for (let generation = 2; generation <= 3; generation += 1) {
      const before = gateway.pid('service');
      process.kill(gateway.pid('up'), 'SIGHUP');
      while (gateway.pid('service') === before) await gateway.metrics().catch(() => '');
      await gateway.ready();
    }
    going = false;
    await Promise.all(load);
    t.same([...new Set(during)], [200], `0 errors in ${during.length} requests over two restarts`);
    t.not(gateway.pid('service'), first);

    provider.release();
    const whole = await long.finished();
    t.ok(whole.complete && whole.text.endsWith('data: [DONE]\n\n'), 'the long stream ended whole');
    const id = whole.headers['x-request-id'] ?? '';
    await untilTrue(() => gateway.ledger().some((entry) => entry.id === id && entry.type !== 'hold'));
    const entry = gateway.ledger().find((each) => each.id === id && each.type !== 'hold');
    t.match(entry, { type: 'settle', usage: { input: 7, output: 3 } }, 'metered by the generation that began it');
    await gateway.idle();
    await untilTrue(() => gateway.unsettled().length === 0);
    t.same(gateway.unsettled(), []);
    const lost = gateway.ledger().filter((each) => each.type === 'estimate' && each.status >= 500);
    t.same(lost, [], 'nothing had to be guessed');
  },
);

async function inParallel<T>(count: number, width: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      results.push(await work());
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

/** Files have no event to wait for. */
async function untilTrue(done: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !done(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
}
