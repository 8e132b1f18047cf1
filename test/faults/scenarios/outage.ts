import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { type RequestRecord, startGateway } from '../../e2e/harness.js';
import { hello, type Script, startScripted } from '../../e2e/scripted.js';
import { ask } from './ask.js';

/** Requests per second while the first target is away. */
const RATE = 20;
/** A target is put aside for five seconds; one more request must then come to find out. */
const BACK_WITHIN_MS = 7_000;
/** Those that find out that it is away: three at first (503 twice in a row, and what is under way), then one per cooldown. */
const COOLDOWN_MS = 5_000;
const AT_FIRST = 6;

/**
 * The first target answers 503 for so long and is well again. Nobody notices; the first target is left alone but for a
 * trial now and then; after recovery it gets everything again, by one trial and not by a storm.
 */
export async function playOutage(t: Test, outageMs: number): Promise<void> {
  const [first, second] = [await startScripted(), await startScripted()];
  t.teardown(() => Promise.all([first.close(), second.close()]).then(() => {}));
  const kind = 'openai-compatible';
  const gateway = await startGateway(t, {
    config: {
      providers: { first: { kind, base_url: first.baseUrl }, second: { kind, base_url: second.baseUrl } },
      models: { pair: { targets: ['first/m', 'second/m'] } },
    },
  });
  const failed: string[] = [];
  const records: RequestRecord[] = [];
  const send = async (): Promise<RequestRecord> => {
    const body = JSON.stringify({ model: 'pair', stream: true, messages: [{ role: 'user', content: 'hi' }] });
    const url = `${gateway.url}/v1/chat/completions`;
    const seen = await ask({ url, key: gateway.key, protocol: 'http/1.1', form: 'stream', body, onContent: () => {} });
    const record = await gateway.record(String(seen.headers['x-request-id']));
    if (!seen.complete || !/\[DONE\]\n\n$/.test(seen.text)) failed.push(JSON.stringify({ seen, record }));
    records.push(record);
    return record;
  };
  const before = await send();
  t.equal(before.target, 'first/m', 'the first target is well');

  const down: Script = { status: 503, chunks: ['{"error":{"message":"down"}}'] };
  first.on('m', down);
  const begun = Date.now();
  const running: Promise<unknown>[] = [];
  const beat = async (): Promise<void> => {
    running.push(send());
    await wait(1000 / RATE);
  };
  while (Date.now() - begun < outageMs) await beat();
  await Promise.all(running);
  const asked = first.captures.length - 1;
  t.ok(asked <= AT_FIRST + Math.ceil(outageMs / COOLDOWN_MS), `left alone: ${asked} of ${running.length} asked it`);

  first.on('m', hello);
  const recovered = Date.now();
  const isBack = (): boolean => records.at(-1)?.target === 'first/m';
  while (!isBack() && Date.now() - recovered < BACK_WITHIN_MS) await beat();
  t.ok(isBack(), `back ${Date.now() - recovered} ms after recovery`);
  await Promise.all(running);
  for (let count = 0; count < RATE; count += 1) t.equal((await send()).target, 'first/m', 'all go to the first again');
  t.same(failed, [], `${records.length} whole answers`);
  await gateway.idle();
  t.same(gateway.unsettled(), [], 'every hold has its one end');
}
