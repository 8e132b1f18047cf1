/** Which of the service processes behind one Envoy this is. */
export interface WorkerPlace {
  /** From 0. The first one also does what is done once: admin API, records, exports, alerts, clusters, the built-in mock. */
  readonly index: number;
  readonly count: number;
}

export const ALONE: WorkerPlace = { index: 0, count: 1 };

export function isFirst({ index }: WorkerPlace): boolean {
  return index === 0;
}

/** The name of something that each worker has its own of: `counters.json` for the first, `counters-worker-1.json` for the next. */
export function nameOf(name: string, { index }: WorkerPlace): string {
  return index === 0 ? name : name.replace(/(\.\w+)?$/, `-worker-${index}$1`);
}
