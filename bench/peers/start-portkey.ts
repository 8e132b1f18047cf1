import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contender.js';
import { PORTKEY } from './places.js';
import { freePort, startProgram } from './start-program.js';

/** `ours`: the Node that runs this program; `its own`: the major version of Portkey's container image. */
export type Runtime = 'ours' | 'its own';

/**
 * Portkey as its image starts it, without the console. It has no keys: the caller's goes on to the provider, and
 * headers tell it where that is.
 */
export async function startPortkey(upstream: number, runtime: Runtime): Promise<Contender> {
  const modules = join(PORTKEY.directory, 'node_modules');
  const node = runtime === 'ours' ? process.execPath : join(modules, `node-linux-${process.arch}/bin/node`);
  const name = `Portkey, Node ${runtime === 'ours' ? process.versions.node.split('.')[0] : '20'}`;
  const port = await freePort();
  const { pid, stop } = await startProgram({
    title: name,
    command: node,
    args: [join(modules, '@portkey-ai/gateway/build/start-server.js'), `--port=${port}`, '--headless'],
    environment: { NODE_ENV: 'production' },
    directory: mkdtempSync(join(tmpdir(), 'tg-portkey-')),
    ready: `http://127.0.0.1:${port}/`,
  });
  return {
    system: {
      name,
      port,
      prefix: '',
      headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1` },
      parts: () => ({ service: pid }),
      stop,
    },
    refusals: [],
    quick: true,
    warmUp: 8,
  };
}
