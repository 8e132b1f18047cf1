import fc from 'fast-check';
import t from 'tap';
import { readCooldown } from '../../src/providers/cooldown.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');

function cooldown(headers: Readonly<Record<string, string>>, body: string | null = null): number | null {
  const entries = new Map(Object.entries(headers));
  return readCooldown((name) => entries.get(name), body === null ? null : Buffer.from(body), NOW);
}

t.test('headers', async (t) => {
  const exhausted = (reset: string, limit = 'requests') => ({
    [`x-ratelimit-remaining-${limit}`]: '0',
    [`x-ratelimit-reset-${limit}`]: reset,
  });
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, number | null])[] = [
    ['nothing', {}, null],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['fractions', { 'retry-after': '0.25' }, 250],
    ['zero', { 'retry-after': '0' }, 0],
    ['capped', { 'retry-after': '86400' }, 60_000],
    ['date', { 'retry-after': 'Sun, 01 Mar 2026 12:00:09 GMT' }, 9_000],
    ['date in the past', { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, 0],
    ['no date', { 'retry-after': 'soon' }, null],
    ['negative', { 'retry-after': '-5' }, null],
    ['not finite', { 'retry-after': '1e400' }, null],
    ['empty', { 'retry-after': '' }, null],
    ['milliseconds first', { 'retry-after-ms': '1500', 'retry-after': '2' }, 1_500],
    ['broken milliseconds', { 'retry-after-ms': 'x', 'retry-after': '2' }, 2_000],
    ['OpenAI ms', exhausted('12ms'), 12],
    ['OpenAI minutes', exhausted('1m2s'), 60_000],
    ['OpenAI 6m0s', exhausted('6m0s'), 60_000],
    ['OpenAI seconds and ms', exhausted('1s500ms'), 1_500],
    ['Groq', exhausted('17.4s', 'tokens'), 17_400],
    ['Azure', exhausted('7'), 7_000],
    ['Together', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '0.5' }, 500],
    ['epoch ms', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW + 2_000) }, 2_000],
    ['epoch seconds', { 'x-ratelimit-remaining': '0.0', 'x-ratelimit-reset': String(NOW / 1000 + 3) }, 3_000],
    ['something remains', { ...exhausted('30s'), 'x-ratelimit-remaining-requests': '3' }, null],
    ['nothing said about what remains', { 'x-ratelimit-reset-requests': '30s' }, null],
    ['the longest of the exhausted', { ...exhausted('2s'), ...exhausted('5s', 'tokens') }, 5_000],
    [
      'only the exhausted',
      { ...exhausted('2s'), 'x-ratelimit-remaining-tokens': '9', 'x-ratelimit-reset-tokens': '50s' },
      2_000,
    ],
    [
      'Anthropic',
      {
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:50Z',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-03-01T12:00:20Z',
      },
      20_000,
    ],
    [
      'with an offset',
      { 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '2026-03-01T13:00:01+01:00' },
      1_000,
    ],
    ['retry-after wins', { 'retry-after': '3', ...exhausted('40s') }, 3_000],
    ['unreadable reset', exhausted('tomorrow'), null],
    ['unit alone', exhausted('s'), null],
  ];
  for (const [name, headers, expected] of cases) t.equal(cooldown(headers), expected, name);
});

t.test("Google's RetryInfo", async (t) => {
  const info = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.074824224s' };
  const quota = { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] };
  const error = { error: { code: 429, message: 'x', status: 'RESOURCE_EXHAUSTED', details: [quota, info] } };
  t.equal(cooldown({}, JSON.stringify(error)), 34_075);
  t.equal(cooldown({}, JSON.stringify([error])), 34_075, "on OpenAI's paths");
  t.equal(cooldown({ 'retry-after': '1' }, JSON.stringify(error)), 1_000);
  t.equal(cooldown({}, JSON.stringify({ error: { details: [quota] } })), null);
  t.equal(cooldown({}, JSON.stringify({ error: { details: [{ ...info, retryDelay: 7 }] } })), null);
  t.equal(cooldown({}, `${JSON.stringify(error)}, RetryInfo`), null, 'not JSON');
  t.equal(cooldown({}, JSON.stringify(error) + ' '.repeat(70_000)), null, 'too long');
  for (const body of [
    'null',
    '[]',
    '{"error":"RetryInfo"}',
    '"RetryInfo"',
    '{"error":{"details":[null,"RetryInfo"]}}',
  ]) {
    t.equal(cooldown({}, body), null, body);
  }
});

t.test('whatever is sent, it is null or 0 to 60,000', async () => {
  const value = fc.oneof(fc.string(), fc.double().map(String), fc.stringMatching(/^[\dmsh.:TZ+-]{0,20}$/));
  const names = ['retry-after', 'retry-after-ms', 'x-ratelimit-reset-requests'];
  fc.assert(
    fc.property(fc.constantFrom(...names), value, fc.string(), (name, text, body) => {
      const read = cooldown({ 'x-ratelimit-remaining-requests': '0', [name]: text }, `RetryInfo${body}`);
      return read === null || (Number.isInteger(read) && read >= 0 && read <= 60_000);
    }),
    { numRuns: 1_000 },
  );
});
