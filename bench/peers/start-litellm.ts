import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KEY } from '../systems.js';
import type { Contender } from './contender.js';
import { LITELLM } from './places.js';
import { freePort, startProgram } from './start-program.js';

/** LiteLLM's proxy with one worker, one key (its master key), prices, and neither a database nor Redis. */
export async function startLitellm(upstream: number): Promise<Contender> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-litellm-'));
  const config = join(directory, 'config.json');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(configuration(upstream)));
  const port = await freePort();
  const { pid, stop } = await startProgram({
    title: LITELLM.title,
    command: join(LITELLM.directory, 'venv/bin/litellm'),
    args: ['--config', config, '--host', '127.0.0.1', '--port', `${port}`, '--num_workers', '1'],
    // Else it asks the internet for prices, and tells of itself.
    environment: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_TELEMETRY: 'False' },
    directory,
    ready: `http://127.0.0.1:${port}/health/liveliness`,
  });
  return {
    system: { name: 'LiteLLM', port, prefix: '', parts: () => ({ service: pid }), stop },
    // Without a database it cannot look for the key: "No connected db".
    refusals: [400],
    quick: false,
    warmUp: 4,
  };
}

function configuration(upstream: number): object {
  const model = (name: string): object => ({
    model_name: name,
    litellm_params: {
      model: `openai/${name}`,
      api_base: `http://127.0.0.1:${upstream}/v1`,
      api_key: 'sk-provider',
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
    },
  });
  return {
    model_list: [model('bench'), model('quick')],
    general_settings: { master_key: KEY },
    litellm_settings: { telemetry: false },
  };
}
