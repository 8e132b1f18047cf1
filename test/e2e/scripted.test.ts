import t from 'tap';
import { exchange, opened } from './client.js';
import { refusingUrl, startScripted, streamScript } from './scripted.js';

t.test('a scripted provider holds, breaks and counts', async (t) => {
  const provider = await startScripted();
  t.teardown(() => provider.close());
  const url = `${provider.baseUrl}/chat/completions`;
  const ask = (model: string, stream = false) => ({ body: JSON.stringify({ model, stream }) });

  t.match((await exchange(url, ask('any'))).text, /"content":"hello"/);
  t.match((await exchange(url, ask('any', true))).text, /\[DONE\]/);

  provider.on('held', { ...streamScript('held', ['a', 'b', 'c']), hold: 2 });
  const open = await opened(url, ask('held', true));
  await provider.held(1);
  await open.until('"a"');
  provider.release();
  const done = await open.finished();
  t.ok(done.complete);
  t.ok(done.body.equals(provider.sent('held')));

  provider.queue({ instead: 'reset' }, { instead: 'close' }, { status: 429, headers: { 'retry-after': '3' } });
  await t.rejects(exchange(url, ask('any')));
  await t.rejects(exchange(url, ask('any')));
  const limited = await exchange(url, ask('any'));
  t.equal(limited.status, 429);
  t.equal(limited.headers['retry-after'], '3');
  for (const end of ['reset', 'fin'] as const) {
    provider.queue({ ...streamScript('x', ['a']), end });
    t.notOk((await exchange(url, ask('x', true))).complete, end);
  }
  const before = provider.left;
  provider.queue({ instead: 'hang' });
  const leave = new AbortController();
  const hanging = exchange(url, { ...ask('any'), signal: leave.signal });
  await provider.received(8);
  leave.abort();
  await t.rejects(hanging);
  await provider.abandoned(before + 1);
  t.equal(provider.captures[0]?.model, 'any');
  await t.rejects(exchange(await refusingUrl(), ask('any')), { code: 'ECONNREFUSED' });
});
