import type { AlertEvent } from '../../accounting/alerts/alert-event.js';
import type { ProviderHealth, Readiness } from '../../admin/ports.js';

/** What a worker tells the first one every second. */
export interface Pulse extends Readiness {
  readonly worker: number;
  readonly generation: number;
  /** It takes no requests any more and finishes those that it has. */
  readonly isStopping: boolean;
  /** Version of the configuration in use. */
  readonly snapshot: string;
  /** Holds of dead processes that wait for a line of Envoy's log. */
  readonly openHolds: number;
  readonly providers: ReadonlyMap<string, ProviderHealth>;
  readonly alerts: AlertBatch;
}

/** What happened since the pulse before. */
export interface AlertBatch {
  /** The same one once. */
  readonly events: readonly AlertEvent[];
  /** Finished requests by where their usage comes from. */
  readonly stated: number;
  readonly estimated: number;
}
