const EVERY_MS = 1_000;

/** Says on stderr how far long work is, from its second second on and once a second. */
export function progress(what: string): (done: number, all: number) => void {
  let told = Date.now();
  return (done, all) => {
    const now = Date.now();
    if (all === 0 || now - told < EVERY_MS) return;
    told = now;
    process.stderr.write(`${Math.floor((100 * done) / all)} % (${done} of ${all} ${what})\n`);
  };
}
