import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { cpuMicros, median } from './cpu.js';
import { KEY, type System, startTollgate, startUpstream } from './systems.js';

/**
 * What failover costs: first byte of a stream from one target, from a first of two (its beginning is looked at), and from
 * a second one after the first refused the connection. Samples are taken in turn, one request at a time. Every refusing
 * target is asked once only, because health would put it last afterwards.
 */
export async function measureFailover(samples: number): Promise<void> {
  const upstream = await startUpstream();
  const refusing = await closedPorts(samples);
  const base = (port: number): object => ({
    kind: 'openai-compatible',
    base_url: `http://127.0.0.1:${port}/v1`,
    credentials: 'sk-provider',
  });
  const providers: Record<string, object> = { q: base(upstream.port) };
  const models: Record<string, object> = { looked: { targets: ['p/bench', 'q/bench'] } };
  for (const [at, port] of refusing.entries()) {
    providers[`r${at}`] = base(port);
    models[`refused-${at}`] = { targets: [`r${at}/bench`, 'p/bench'] };
  }
  const system = await startTollgate(upstream.port, { providers, models });
  try {
    for (let warm = 0; warm < 30; warm += 1) for (const model of ['p/bench', 'looked']) await firstByte(system, model);
    const times: Record<string, number[]> = { single: [], looked: [], refused: [] };
    for (let at = 0; at < samples; at += 1) {
      times['single']?.push(await firstByte(system, 'p/bench'));
      times['looked']?.push(await firstByte(system, 'looked'));
      times['refused']?.push(await firstByte(system, `refused-${at}`));
    }
    console.log(`\n### Failover: first byte of a stream, one at a time (${samples} samples each)\n`);
    console.log('| targets | first byte p50 | added |\n|---|---|---|');
    const single = median(times['single'] ?? []);
    for (const [name, text] of ROWS) {
      const p50 = median(times[name] ?? []);
      console.log(
        `| ${text} | ${p50.toFixed(2)} ms | ${name === 'single' ? '–' : `${(p50 - single).toFixed(2)} ms`} |`,
      );
    }
    console.log(`\nCPU of the look: ${(await costOfLook(system, samples)).join(', ')} per request.`);
  } finally {
    await system.stop();
    upstream.stop();
  }
}

const ROWS = [
  ['single', 'one target'],
  ['looked', 'two targets, the first one answers (its beginning is looked at)'],
  ['refused', 'two targets, the first one refuses the connection'],
] as const;

/** CPU per request of each part, with the look minus without it. */
async function costOfLook(system: System, samples: number): Promise<string[]> {
  const spent = async (model: string): Promise<Record<string, number>> => {
    const before = Object.entries(system.parts()).map(([part, pid]) => [part, cpuMicros(pid)] as const);
    for (let at = 0; at < samples; at += 1) await firstByte(system, model);
    const parts = system.parts();
    return Object.fromEntries(before.map(([part, micros]) => [part, (cpuMicros(parts[part] ?? 0) - micros) / samples]));
  };
  const without = await spent('p/bench');
  const looked = await spent('looked');
  return Object.entries(looked).map(([part, micros]) => `${part} ${(micros - (without[part] ?? 0)).toFixed(0)} µs`);
}

/** Milliseconds until the first byte of the body; the rest is left. */
async function firstByte(system: System, model: string): Promise<number> {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hello' }] });
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const begun = performance.now();
  const call = request({ host: '127.0.0.1', port: system.port, path: '/v1/chat/completions', method: 'POST', headers });
  call.end(body);
  const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream & { statusCode?: number }];
  await once(response, 'data');
  const taken = performance.now() - begun;
  if (response.statusCode !== 200) throw new Error(`${model}: status ${response.statusCode}`);
  call.destroy();
  return taken;
}

/** Ports on which nobody listens. */
async function closedPorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
