import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { cpuMicros, median } from './cpu.js';
import { KEY, type System, startTollgate, startUpstream, type TollgateSections } from './systems.js';

export interface Failover {
  /** Markdown. */
  readonly section: string;
  /** First byte p50 in milliseconds. */
  readonly data: Readonly<Record<string, number>>;
}

/** `npm run bench -- failover`. */
export async function measureFailover(samples: number): Promise<void> {
  console.log(`\n${(await failover(samples)).section}`);
}

/**
 * What failover costs: first byte of a stream from one target, from a first of two (its beginning is looked at), and from
 * a second one after the first refused the connection or answered 503. Samples are taken in turn, one request at a time.
 * Every failing target is asked once only, because health would put it last afterwards.
 */
export async function failover(samples: number): Promise<Failover> {
  const upstream = await startUpstream();
  const system = await startTollgate(upstream.port, await failingFirst(samples, upstream.port));
  try {
    for (let warm = 0; warm < 30; warm += 1) for (const model of ['p/bench', 'looked']) await firstByte(system, model);
    const times = ROWS.map((): number[] => []);
    for (let at = 0; at < samples; at += 1) {
      for (const [row, { modelOf }] of ROWS.entries()) times[row]?.push(await firstByte(system, modelOf(at)));
    }
    const medians = times.map(median);
    const [single = 0] = medians;
    const lines = ROWS.map(({ text }, row) => {
      const p50 = medians[row] ?? Number.NaN;
      return `| ${text} | ${p50.toFixed(2)} ms | ${row === 0 ? '–' : `${(p50 - single).toFixed(2)} ms`} |`;
    });
    const section = [
      `### Failover: first byte of a stream, one at a time (${samples} samples each)\n`,
      '| targets | first byte p50 | added |\n|---|---|---|',
      ...lines,
      `\nCPU of the look: ${(await costOfLook(system, samples)).join(', ')} per request.`,
    ];
    return {
      section: section.join('\n'),
      data: Object.fromEntries(ROWS.map(({ text }, at) => [text, medians[at] ?? 0])),
    };
  } finally {
    await system.stop();
    upstream.stop();
  }
}

const ROWS: readonly { readonly text: string; modelOf(sample: number): string }[] = [
  { text: 'one target', modelOf: () => 'p/bench' },
  { text: 'two targets, the first one answers (its beginning is looked at)', modelOf: () => 'looked' },
  { text: 'two targets, the first one refuses the connection', modelOf: (at) => `refused-${at}` },
  { text: 'two targets, the first one answers 503', modelOf: (at) => `busy-${at}` },
];

/** Providers that fail, each the first target of a model of its own. */
async function failingFirst(count: number, port: number): Promise<TollgateSections> {
  const base = (at: number): object => ({
    kind: 'openai-compatible',
    base_url: `http://127.0.0.1:${at}/v1`,
    credentials: 'sk-provider',
  });
  const providers: Record<string, object> = { q: base(port) };
  const models: Record<string, object> = { looked: { targets: ['p/bench', 'q/bench'] } };
  for (const [at, closed] of (await closedPorts(count)).entries()) {
    providers[`r${at}`] = base(closed);
    models[`refused-${at}`] = { targets: [`r${at}/bench`, 'p/bench'] };
    providers[`b${at}`] = base(port);
    models[`busy-${at}`] = { targets: [`b${at}/fail`, 'p/bench'] };
  }
  return { providers, models };
}

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
