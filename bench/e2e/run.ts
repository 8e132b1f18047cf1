import { compare, measure } from '../compare.js';
import type { Options } from '../options.js';
import { EVERYTHING, startLoad, startPlainEnvoy, startTollgate, startUpstream } from '../systems.js';

/** `npm run bench:e2e`. */
export async function measureEndToEnd(options: Options): Promise<void> {
  const upstream = await startUpstream();
  const load = startLoad();
  const systems = [await startPlainEnvoy(upstream.port), await startTollgate(upstream.port, EVERYTHING)];
  const small = { name: 'small', connections: 32, stream: false, prompt: 150 };
  try {
    for (const system of systems) await measure(load, system, { ...small, requests: options.short ? 2000 : 20_000 });
    await compare({ systems, load, rounds: options.rounds ?? 5 }, { ...small, requests: 4000 });
    await compare(
      { systems, load, rounds: options.rounds ?? 5 },
      { ...small, stream: true, model: 'quick', requests: 1000 },
    );
    await compare(
      { systems, load, rounds: options.rounds ?? 5 },
      { ...small, stream: true, rate: 20, connections: 500, requests: 80 },
    );
  } finally {
    for (const system of systems) await system.stop();
    load.stop();
    upstream.stop();
  }
}
