import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import t from 'tap';

const MODULE = new URL('../../src/accounting/give-way.js', import.meta.url).href;

t.test('a thread that gives way does so alone', { skip: process.platform !== 'linux' }, async (t) => {
  const before = getPriority();
  const script = `const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(MODULE)}).then(({ giveWay }) => {
      giveWay();
      parentPort.postMessage(require('node:os').getPriority());
    });`;
  const worker = new Worker(script, { eval: true });
  const [own] = (await once(worker, 'message')) as [number];
  t.equal(own, Math.min(19, before + 5));
  t.equal(getPriority(), before, 'the others stay as urgent as they were');
  await worker.terminate();
});
