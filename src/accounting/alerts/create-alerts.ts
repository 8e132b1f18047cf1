import { createHash } from 'node:crypto';
import type { Alerts as AlertSettings } from '../../config/money-rules.js';
import type { FinalEntry } from '../ledger/entry.js';
import { pause } from '../pause.js';
import { type Backoff, backoffMs, retryAfterMs } from '../retry-after.js';
import { SIGNATURE_HEADER, signatureOf } from '../signature.js';
import { type AlertEvent, noticeOf } from './alert-event.js';
import { type Alert, type AlertState, AlertStateFile, readAlertState } from './alert-state.js';
import { EstimatedRatio } from './estimated-ratio.js';
import { LastingTrouble } from './lasting-trouble.js';

export interface AlertOptions {
  /** As configured right now; null = nobody wants to know. */
  readonly settings: () => AlertSettings | null;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
  /** Must not throw. */
  readonly onProblem: (message: string, error: unknown) => void;
  /** For metrics: what happened to an alert. Must not throw. */
  readonly onOutcome: (kind: string, outcome: 'raised' | 'sent' | 'lost') => void;
  readonly statePath: string;
  /** For tests. */
  readonly timing?: Partial<AlertTiming>;
}

export interface AlertTiming extends Backoff {
  readonly timeoutMs: number;
  /** An alert that could not be told for so long is given up. */
  readonly giveUpMs: number;
}

export interface AlertBacklog {
  readonly waiting: number;
  /** Milliseconds; 0 when none waits. */
  readonly oldest_ms: number;
  readonly lost: number;
  /** Null while all goes well. */
  readonly last_error: string | null;
}

/** Tells a webhook what a person should know, once per window. Nothing here throws or waits. */
export interface Alerts {
  raise(event: AlertEvent): void;
  /** Looks for unknown prices and for too many estimates. */
  requestFinished(entry: Pick<FinalEntry, 'usage_source' | 'cost_nano_usd' | 'target'>): void;
  backlog(): AlertBacklog;
  /** What is not told is told after the next start. */
  close(): Promise<void>;
}

const TIMING: AlertTiming = { timeoutMs: 10_000, firstMs: 1_000, mostMs: 300_000, giveUpMs: 3_600_000 };
const MOST_WAITING = 1_000;
const MOST_TOLD = 10_000;

export function createAlerts(options: AlertOptions): Alerts {
  return new WebhookAlerts(options);
}

class WebhookAlerts implements Alerts {
  readonly #options: AlertOptions;
  readonly #timing: AlertTiming;
  readonly #state: AlertState;
  readonly #file: AlertStateFile;
  readonly #ratio = new EstimatedRatio();
  readonly #closing = new AbortController();
  readonly #store = this.#trouble({ kind: 'limit_store_down' }, { kind: 'limit_store_up' });
  readonly #ledger = this.#trouble({ kind: 'ledger_unwritable' }, { kind: 'ledger_writable' });
  #sending: Promise<void> | null = null;
  #lost = 0;
  #error: string | null = null;

  constructor(options: AlertOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#state = readAlertState(options.statePath);
    this.#file = new AlertStateFile(options.statePath, this.#state, options.onProblem);
    this.#send();
  }

  raise(event: AlertEvent): void {
    try {
      if (this.#options.settings() === null || this.#closing.signal.aborted) return;
      if (event.kind === 'limit_store_down' || event.kind === 'limit_store_up') {
        this.#store.set(event.kind === 'limit_store_down');
      } else if (event.kind === 'ledger_unwritable' || event.kind === 'ledger_writable') {
        this.#ledger.set(event.kind === 'ledger_unwritable');
      } else this.#queue(event);
    } catch (error) {
      this.#options.onProblem(`alert ${event.kind} could not be raised`, error);
    }
  }

  requestFinished({
    usage_source: source,
    cost_nano_usd: cost,
    target,
  }: Parameters<Alerts['requestFinished']>[0]): void {
    if (source === null) return;
    if (cost === null && target !== null) this.raise({ kind: 'unpriced_model', target });
    const most = this.#options.settings()?.estimatedRatio ?? null;
    const ratio = this.#ratio.add(source !== 'provider', this.#options.now());
    if (most !== null && ratio !== null && ratio.share > most) this.raise({ kind: 'estimated_ratio', ...ratio });
  }

  backlog(): AlertBacklog {
    const [first] = this.#state.waiting;
    return {
      waiting: this.#state.waiting.length,
      oldest_ms: first ? Math.max(0, this.#options.now() - Date.parse(first.time)) : 0,
      lost: this.#lost,
      last_error: this.#error,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#store.stop();
    this.#ledger.stop();
    await this.#sending;
    await this.#file.saved();
  }

  #trouble(bad: AlertEvent, good: AlertEvent): LastingTrouble {
    return new LastingTrouble((isBad) => this.#queue(isBad ? bad : good));
  }

  /** Null when it waits to be sent; milliseconds until its window is over when it was told in it before. */
  #queue(event: AlertEvent): number | null {
    const now = this.#options.now();
    const notice = noticeOf(event, now);
    const { subject, window } = notice;
    const id = createHash('sha256')
      .update(JSON.stringify([event.kind, subject, window]))
      .digest('hex')
      .slice(0, 32);
    if (this.#state.told.has(id)) return Math.max(1, notice.until - now);
    this.#remember(id, notice.until, now);
    if (this.#state.waiting.length >= MOST_WAITING) {
      this.#lose(event.kind, 'too many alerts wait');
      return null;
    }
    const time = new Date(now).toISOString();
    this.#state.waiting.push({ id, kind: event.kind, subject, time, text: notice.text, details: notice.details });
    this.#options.onOutcome(event.kind, 'raised');
    this.#file.save();
    this.#send();
    return null;
  }

  #remember(id: string, until: number, now: number): void {
    const { told } = this.#state;
    for (const [known, end] of told) if (end <= now) told.delete(known);
    const [oldest] = told.keys();
    if (told.size >= MOST_TOLD && oldest !== undefined) told.delete(oldest);
    told.set(id, until);
  }

  #lose(kind: string, why: string): void {
    this.#lost += 1;
    this.#options.onOutcome(kind, 'lost');
    this.#options.onProblem(`alert ${kind} is lost: ${why}`, null);
  }

  #send(): void {
    if (this.#sending || this.#state.waiting.length === 0) return;
    this.#sending = this.#sendAll()
      .catch((error) => this.#options.onProblem('alerts could not be sent', error))
      .finally(() => {
        this.#sending = null;
      });
  }

  async #sendAll(): Promise<void> {
    let failures = 0;
    for (let [alert] = this.#state.waiting; alert && !this.#closing.signal.aborted; [alert] = this.#state.waiting) {
      const outcome = await this.#post(alert);
      const age = this.#options.now() - Date.parse(alert.time);
      if (outcome.kind === 'later' && age < this.#timing.giveUpMs) {
        failures += 1;
        if (this.#error === null)
          this.#options.onProblem(`alerts cannot be sent, it is tried again: ${outcome.reason}`, null);
        this.#error = outcome.reason;
        const wait = Math.max(outcome.afterMs ?? 0, backoffMs(failures, this.#timing, this.#options.random));
        await pause(wait, this.#closing.signal);
        continue;
      }
      this.#state.waiting.shift();
      this.#file.save();
      if (outcome.kind === 'sent') {
        failures = 0;
        this.#error = null;
        this.#options.onOutcome(alert.kind, 'sent');
      } else this.#lose(alert.kind, outcome.reason);
    }
  }

  async #post(alert: Alert): Promise<Outcome> {
    const settings = this.#options.settings();
    if (settings === null) return { kind: 'never', reason: 'alerts are not configured any more' };
    const body = JSON.stringify(alert);
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    const seconds = Math.floor(this.#options.now() / 1000);
    if (settings.secret) headers[SIGNATURE_HEADER] = signatureOf(body, settings.secret.reveal(), seconds);
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(this.#timing.timeoutMs), this.#closing.signal]);
      const request = { method: 'POST', headers, body, signal, redirect: 'manual' as const };
      const response = await this.#options.fetch(settings.webhook, request);
      await response.body?.cancel();
      if (response.ok) return { kind: 'sent' };
      const reason = `answered ${response.status}`;
      if (response.status === 400 || response.status === 413 || response.status === 422)
        return { kind: 'never', reason };
      return { kind: 'later', reason, afterMs: retryAfterMs(response.headers.get('retry-after'), this.#options.now()) };
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } };
      return { kind: 'later', reason: cause?.code ?? message, afterMs: null };
    }
  }
}

type Outcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'never'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs: number | null };
