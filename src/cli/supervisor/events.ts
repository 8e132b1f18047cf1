import type { Address } from '../../config/snapshot.js';

/** How long things may take, in milliseconds. */
export const PATIENCE = {
  /** From the start of a service generation to its `ready`. */
  serviceStart: 60_000,
  /** For the streams of an old generation after a newer one took over. */
  retire: 3_600_000,
  /** For Envoy to leave after it was told to. */
  envoyStop: 5_000,
  /** For the services to settle and flush once Envoy is gone. */
  serviceStop: 15_000,
} as const;

export type TimerName =
  | `restart_service:${number}`
  | 'restart_envoy'
  | 'kill_envoy'
  | 'kill_services'
  | `start:${number}`
  | `retire:${number}`;

/** What happened. */
export type SupervisorEvent =
  | { readonly type: 'start' }
  | { readonly type: 'reload' }
  | { readonly type: 'stop' }
  | { readonly type: 'service_ready'; readonly generation: number; readonly admin: Address; readonly socket: string }
  | { readonly type: 'service_exited'; readonly generation: number; readonly reason: string }
  | { readonly type: 'envoy_ready' }
  | { readonly type: 'envoy_exited'; readonly reason: string }
  /** Envoy has no request left, or the time for draining is over. */
  | { readonly type: 'drained' }
  | { readonly type: 'timer'; readonly timer: TimerName };

/** What to do about it, in this order. */
export type SupervisorEffect =
  /** Generations are numbered over all workers, so that a number names one process. */
  | { readonly type: 'spawn_service'; readonly generation: number; readonly worker: number }
  | { readonly type: 'signal_service'; readonly generation: number; readonly signal: 'SIGTERM' | 'SIGKILL' }
  /** Point Envoy's pipe path of this worker at this socket, atomically. */
  | { readonly type: 'link'; readonly generation: number; readonly socket: string; readonly worker: number }
  | { readonly type: 'spawn_envoy' }
  /** Close the listeners gracefully; answered by `drained`. */
  | { readonly type: 'drain_envoy' }
  | { readonly type: 'signal_envoy'; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly type: 'set_timer'; readonly timer: TimerName; readonly ms: number }
  | { readonly type: 'clear_timer'; readonly timer: TimerName }
  /** Everything answers (first time), or the admin address is a new one. */
  | { readonly type: 'announce'; readonly admin: Address; readonly first: boolean }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'exit'; readonly code: number };
