import type { ExportSettings } from './destination.js';
import type { ExportBacklog, ExportTiming } from './ledger-exporter.js';

/** What the thread is started with. */
export interface ExportWork {
  readonly exporters: readonly ExportSettings[];
  readonly ledgerDirectory: string;
  readonly directory: string;
  readonly timing: ExportTiming;
}

export type FromExporters =
  | { readonly kind: 'backlog'; readonly backlog: readonly ExportBacklog[] }
  /** `message` null = it goes on again. */
  | { readonly kind: 'problem'; readonly name: string; readonly message: string | null };

export type ToExporters = 'close';
