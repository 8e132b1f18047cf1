import { createMetrics } from '../../src/observability/metrics.js';
import type { MicroCase } from './micro-case.js';

type Metrics = ReturnType<typeof createMetrics>;

function countRequest(metrics: Metrics, model: number): void {
  metrics.overhead(0.0004);
  metrics.attempt('p', 'success');
  metrics.requestFinished({
    endpoint: '/v1/chat/completions',
    status: 200,
    stream: false,
    usage: { input: 40, output: 90 },
    usage_source: 'provider',
    cost_nano_usd: 220_000,
    first_token_ms: null,
    ms: 1.4,
    target: `p/bench${model}`,
    answered_model: `bench${model}`,
    code: null,
    provider: 'p',
    provider_kind: 'openai-compatible',
  });
}

/** Series as a busy gateway has them. */
const MODELS = 50;

export function cases(): readonly MicroCase[] {
  const counting = createMetrics();
  const rendered = createMetrics();
  for (let model = 0; model < MODELS; model += 1) countRequest(rendered, model);
  return [
    {
      name: 'metrics: a finished request',
      run(times) {
        for (let at = 0; at < times; at += 1) countRequest(counting, 0);
      },
    },
    {
      name: `metrics: rendered, ${MODELS} models`,
      async run(times) {
        for (let at = 0; at < times; at += 1) {
          const text = await rendered.render();
          if (!text.includes('bench49')) throw new Error('a model is missing');
        }
      },
    },
  ];
}
