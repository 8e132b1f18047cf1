import type { ExportSettings } from './destination.js';
import type { EventOutcome, ExportBacklog, ExportTiming } from './ledger-exporter.js';

/** What the thread is started with. */
export interface ExportWork {
  readonly exporters: readonly ExportSettings[];
  readonly ledgerDirectory: string;
  readonly directory: string;
  readonly timing: ExportTiming;
}

export type FromExporters =
  | { readonly kind: 'backlog'; readonly backlog: readonly ExportBacklog[] }
  /** So many events more since the last time. */
  | { readonly kind: 'events'; readonly outcome: EventOutcome; readonly count: number }
  /** `message` null = it goes on again. */
  | { readonly kind: 'problem'; readonly name: string; readonly message: string | null };

export type ToExporters = 'close';
