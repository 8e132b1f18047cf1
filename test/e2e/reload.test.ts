import t from 'tap';
import { opened } from './client.js';
import { KEY, startGateway } from './harness.js';
import { startScripted, streamScript } from './scripted.js';

const CHAT = '/v1/chat/completions';
const LEAVES = 'sk-leaves-0123456789abcdef';
const JOINS = 'sk-joins-0123456789abcdef';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const chat = (model: string, stream = false) => ({ model, stream, messages: [{ role: 'user', content: 'hi' }] });

t.test('new configurations while requests run', async (t) => {
  const [first, second] = await Promise.all([startScripted(), startScripted()]);
  t.teardown(() => Promise.all([first.close(), second.close()]).then(() => {}));
  const [stays, leaves, joins] = [
    { id: 'stays', secret: KEY },
    { id: 'leaves', secret: LEAVES },
    { id: 'joins', secret: JOINS },
  ];
  const old = { kind: 'openai-compatible', base_url: first.baseUrl };
  const added = { kind: 'openai-compatible', base_url: second.baseUrl };
  const gateway = await startGateway(t, { config: { providers: { old, gone: old }, keys: [stays, leaves] } });
  const status = async (model: string, key: string) => (await gateway.post(CHAT, chat(model), bearer(key))).status;

  t.equal(await status('old/x', LEAVES), 200);
  t.equal(await status('added/x', KEY), 404);
  first.on('long', { ...streamScript('long', ['one ', 'two ']), hold: 2 });
  const long = await opened(gateway.url + CHAT, {
    headers: bearer(LEAVES),
    body: JSON.stringify(chat('gone/long', true)),
  });
  await long.until('one ');
  await first.held(1);

  let going = true;
  const during: number[] = [];
  const load = Array.from({ length: 4 }, async () => {
    while (going) during.push(await status('old/x', KEY).catch(() => 0));
  });
  t.teardown(() => {
    going = false;
  });

  gateway.configure({ providers: { old, added }, keys: [stays, joins] });
  await gateway.metric('tollgate_config_reloads_total', 1);
  t.equal(await status('old/x', JOINS), 200, 'a new key works');
  t.equal(await status('old/x', LEAVES), 401, 'a removed key does not');
  t.equal(await status('added/x', KEY), 200, 'a new provider serves');
  t.equal(second.captures.length, 1);
  t.equal(await status('gone/x', KEY), 404, 'a removed provider does not');
  first.release();
  const whole = await long.finished();
  t.ok(
    whole.complete && whole.text.endsWith('data: [DONE]\n\n'),
    'what a removed key and provider had begun ends whole',
  );
  const record = await gateway.record(whole.headers['x-request-id'] ?? '');
  t.match(record, { key: 'leaves', target: 'gone/long', usage: { input: 7, output: 2 }, usage_source: 'provider' });

  gateway.configure('providers: { old: { kind: openai-compatible, base_url: nonsense } }\nkeyz: []\n');
  await gateway.metric('tollgate_config_rejections_total', 1);
  await gateway.metric('tollgate_config_last_reload_success', 0);
  t.equal(await status('added/x', JOINS), 200, 'a bad file keeps the old configuration');
  while (!gateway.logs().includes('keyz')) await new Promise(setImmediate);
  t.match(gateway.logs(), /config: .*tollgate\.yaml:1:\d+/, 'its mistakes are told with their places');

  going = false;
  await Promise.all(load);
  t.same([...new Set(during)], [200], `0 errors in ${during.length} requests meanwhile`);

  const models = { smart: { targets: ['added/y'] } };
  gateway.configure({ providers: { old, added }, keys: [stays], models, gateway: { models_only: true } });
  await gateway.metric('tollgate_config_reloads_total', 2);
  await gateway.metric('tollgate_config_last_reload_success', 1);
  t.equal(await status('smart', KEY), 200);
  t.equal(await status('old/x', KEY), 404, 'only configured names');
  const list = JSON.parse((await gateway.get('/v1/models')).text) as { data: { id: string }[] };
  t.same(
    list.data.map(({ id }) => id),
    ['smart'],
  );
});
