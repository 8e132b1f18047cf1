import type { Load } from './load/load.js';
import { runLoad } from './load/run-load.js';

// Nobody is left to work for.
process.on('disconnect', () => process.exit());
let release = (): void => undefined;

process.on('message', (load: Load) => {
  release();
  const running = runLoad(load);
  release = running.release;
  void running.result.then((result) => process.send?.(result));
});
