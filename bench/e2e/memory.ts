import { measure } from '../compare.js';
import { residentMebibytes } from '../cpu.js';
import { progress } from '../progress.js';
import { type Outcome, SMALL, type Stage } from './stage.js';
import { table } from './table.js';

const PARTS = 10;
const REQUESTS = 100_000;

/** Resident memory after every tenth of many requests (`--requests N`). */
export async function measureMemory(stage: Stage): Promise<Outcome> {
  const requests = Number(stage.options.value('requests') ?? stage.requests(REQUESTS));
  const each = Math.ceil(requests / PARTS);
  const data: { requests: number; service: number; envoy: number; micros: number }[] = [];
  const { service = 0, envoy = 0 } = stage.tollgate.parts();
  for (let part = 0; part <= PARTS; part += 1) {
    const sample = part > 0 ? await measure(stage.load, stage.tollgate, { ...SMALL, requests: each }) : null;
    const micros = sample === null ? 0 : (sample.cpu['service'] ?? 0);
    data.push({ requests: part * each, service: residentMebibytes(service), envoy: residentMebibytes(envoy), micros });
    progress(`memory after ${part * each} requests: ${data.at(-1)?.service.toFixed(0)} MiB`);
  }
  const rows = data.map((at) => [
    at.requests.toLocaleString('en'),
    `${at.service.toFixed(0)} MiB`,
    `${at.envoy.toFixed(0)} MiB`,
    at.micros > 0 ? `${at.micros.toFixed(0)} µs` : '–',
  ]);
  const columns = ['requests', 'service', 'Envoy', 'service CPU per request'];
  return {
    section: `### Memory over ${requests.toLocaleString('en')} small requests\n\n${table(columns, rows)}`,
    data,
  };
}
