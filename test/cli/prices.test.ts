import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { final, held, hold, testLedger } from '../accounting/samples.js';
import { directoryWith, runCommand } from './run-command.js';

const CONFIG = `ledger: { directory: ledger }
runtime_directory: run
providers:
  openai: { kind: openai, credentials: sk-test-1234567890 }
  anthropic: { kind: openai-compatible, base_url: "http://127.0.0.1:1/v1", credentials: sk-test-1234567890 }
  local: { kind: openai-compatible, base_url: "http://127.0.0.1:1/v1" }
models:
  smart: { targets: [openai/gpt-5, local/llama] }
  strange: { targets: [anthropic/nobody-knows] }
prices:
  - { model: "local/*", input: 0.5, cache_read: 0.05, output: 1.25, request: 0.001 }
`;

/** In a process of its own: tap writes to this one's output too. */
async function printed(directory: string, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand({ module: 'prices', make: 'pricesCommand', words, directory });
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

function configured(t: Test): { readonly directory: string; readonly config: readonly string[] } {
  const directory = directoryWith(t, { 'tollgate.yaml': CONFIG });
  mkdirSync(join(directory, 'run'));
  return { directory, config: ['--config', join(directory, 'tollgate.yaml')] };
}

t.test('every target of the configuration', async (t) => {
  const { config, directory } = configured(t);
  t.equal(
    await printed(directory, [...config, '--at', '2026-09-01']),
    [
      'TARGET                    INPUT  CACHED  OUTPUT  PRICES FROM',
      'openai/gpt-5              $1.25  $0.125  $10.00  genai-prices-0.1.8@2026-09-01',
      'local/llama               $0.50   $0.05   $1.25  config',
      'anthropic/nobody-knows  unknown                  -',
      'Dollars per million tokens.',
      '',
      '1 target without a known price: add it under `prices`.',
      '',
    ].join('\n'),
  );
  const costs = await printed(directory, [...config, '--at', '2026-09-01', '--input', '1,000', '--output', '10']);
  t.match(costs, /^openai\/gpt-5 .* \$0\.00135 +genai/m);
});

t.test('one target with an example', async (t) => {
  const { config, directory } = configured(t);
  const usage = ['--input', '2000', '--cache-read', '1000', '--output', '100'];
  t.equal(
    await printed(directory, [...config, 'local/llama', ...usage]),
    [
      'local/llama  (config)',
      '  input        $0.50  per million tokens',
      '  cache_read   $0.05  per million tokens',
      '  output       $1.25  per million tokens',
      '  requests    $0.001  each',
      '  would cost',
      '    input       2,000     $0.001',
      '    cache_read  1,000   $0.00005',
      '    output        100  $0.000125',
      '    requests        1     $0.001',
      '    total              $0.002175',
      '',
    ].join('\n'),
  );
  const flex = JSON.parse(
    await printed(directory, [...config, 'openai/gpt-5', '--tier', 'flex', '--json', '--output', '7']),
  );
  t.match(flex, {
    data: [
      {
        target: 'openai/gpt-5',
        priced: true,
        price_version: /\+flex$/,
        rates: { input: { usd: '0.625', steps: [] }, output: { usd: '5.00' } },
        tier_unpriced: false,
        example: { cost_nano_usd: 35_000, cost_parts: { output: 35_000 } },
      },
    ],
  });
  t.match(await printed(directory, [...config, 'openai/gpt-5', '--tier', 'priority']), /this tier has no known price/);
  t.match(await printed(directory, [...config, 'anthropic/nobody-knows']), /no known price/);
  t.match(
    await printed(directory, [...config, 'smart']),
    /^openai\/gpt-5 .*\n(?:.*\n)*local\/llama /,
    'all targets of a model',
  );
  await t.rejects(printed(directory, [...config, 'elsewhere/x']), /elsewhere\/x: no configured model or provider/);
});

t.test('what was used without a price', async (t) => {
  const { directory, config } = configured(t);
  t.equal(await printed(directory, [...config, '--unpriced']), 'Every request so far had a known price.\n');
  const { ledger } = testLedger(join(directory, 'ledger'));
  for (const id of ['a', 'b', 'c']) {
    await held(ledger, hold(id));
    ledger.finish(
      final(id, { target: 'local/x', ...(id === 'c' ? {} : { target: 'openai/odd', cost_nano_usd: null }) }),
    );
  }
  await ledger.close();
  t.match(await printed(directory, [...config, '--unpriced']), /^TARGET .*\nopenai\/odd +2 +200 +40 +20\d\d-.*\n$/);
  t.match(JSON.parse(await printed(directory, [...config, '--unpriced', '--json'])), {
    data: [{ target: 'openai/odd', requests: 2 }],
  });
});
