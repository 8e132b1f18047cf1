import type { AlertEvent } from '../../accounting/alerts/alert-event.js';
import type { Alerts } from '../../accounting/alerts/create-alerts.js';
import type { AlertBatch } from './pulse.js';

/** More different events between two pulses are not remembered. */
const MOST_WAITING = 1_000;

/** Alerts of a worker that are told by the first one, which alone knows what all have said and what was told before. */
export class RelayedAlerts implements Alerts {
  #events = new Map<string, AlertEvent>();
  #stated = 0;
  #estimated = 0;

  raise(event: AlertEvent): void {
    if (this.#events.size >= MOST_WAITING) return;
    const key = JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    this.#events.set(key, event);
  }

  requestFinished({
    usage_source: source,
    cost_nano_usd: cost,
    target,
  }: Parameters<Alerts['requestFinished']>[0]): void {
    if (source === null) return;
    if (cost === null && target !== null) this.raise({ kind: 'unpriced_model', target });
    if (source === 'provider') this.#stated += 1;
    else this.#estimated += 1;
  }

  /** All since the last call. */
  take(): AlertBatch {
    const batch = { events: [...this.#events.values()], stated: this.#stated, estimated: this.#estimated };
    this.#events = new Map();
    this.#stated = 0;
    this.#estimated = 0;
    return batch;
  }

  backlog(): ReturnType<Alerts['backlog']> {
    return { waiting: 0, oldest_ms: 0, lost: 0, last_error: null };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

type Trouble = 'limit_store' | 'ledger';
const TROUBLES: Readonly<Record<string, readonly [Trouble, isBad: boolean]>> = {
  limit_store_down: ['limit_store', true],
  limit_store_up: ['limit_store', false],
  ledger_unwritable: ['ledger', true],
  ledger_writable: ['ledger', false],
};
const NEWS = {
  limit_store: { bad: { kind: 'limit_store_down' }, good: { kind: 'limit_store_up' } },
  ledger: { bad: { kind: 'ledger_unwritable' }, good: { kind: 'ledger_writable' } },
} as const;

/** Tells alerts of all workers. A trouble that lasts begins with the first worker that has it and ends with the last. */
export class GatheredAlerts implements Alerts {
  readonly #alerts: Alerts;
  readonly #troubled: Readonly<Record<Trouble, Set<number>>> = { limit_store: new Set(), ledger: new Set() };

  constructor(alerts: Alerts) {
    this.#alerts = alerts;
  }

  raise(event: AlertEvent, worker = 0): void {
    const [trouble, isBad] = TROUBLES[event.kind] ?? [];
    if (trouble === undefined) this.#alerts.raise(event);
    else this.#set(trouble, isBad === true, worker);
  }

  /** What another worker has to say. */
  take({ events, stated, estimated }: AlertBatch, worker: number): void {
    for (const event of events) this.raise(event, worker);
    for (let count = 0; count < stated; count += 1) this.#alerts.requestFinished(STATED);
    for (let count = 0; count < estimated; count += 1) this.#alerts.requestFinished(ESTIMATED);
  }

  requestFinished(entry: Parameters<Alerts['requestFinished']>[0]): void {
    this.#alerts.requestFinished(entry);
  }

  backlog(): ReturnType<Alerts['backlog']> {
    return this.#alerts.backlog();
  }

  close(): Promise<void> {
    return this.#alerts.close();
  }

  /** Its successor tells anew what is wrong. */
  gone(worker: number): void {
    this.#set('limit_store', false, worker);
    this.#set('ledger', false, worker);
  }

  #set(trouble: Trouble, isBad: boolean, worker: number): void {
    const troubled = this.#troubled[trouble];
    const before = troubled.size > 0;
    if (isBad) troubled.add(worker);
    else troubled.delete(worker);
    const now = troubled.size > 0;
    if (now !== before) this.#alerts.raise(now ? NEWS[trouble].bad : NEWS[trouble].good);
  }
}

/** Prices were looked at where the request was. */
const STATED = { usage_source: 'provider', cost_nano_usd: 0, target: null } as const;
const ESTIMATED = { usage_source: 'estimated', cost_nano_usd: 0, target: null } as const;
