import type { Address } from '../../config/snapshot.js';
import type { SupervisorEffect, SupervisorEvent, TimerName } from './events.js';
import { initialState, type SupervisorState, step } from './machine.js';

/** A running child, as far as the supervisor is concerned. */
export interface Child {
  /** Undefined when it could not be started; then `*_exited` follows. */
  readonly pid: number | undefined;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

export interface EnvoyChild extends Child {
  /** Closes the listeners gracefully; resolves when no request is left or the time for it is over. Never rejects. */
  drain(): Promise<void>;
}

type Report = (event: SupervisorEvent) => void;

/** What the supervisor does to the world. Injected, so that tests need neither processes nor a clock. */
export interface SupervisorHands {
  /** Starts a service generation in the place of this worker, which reports `service_ready` once and `service_exited` at its end. */
  spawnService(service: { readonly generation: number; readonly worker: number }, report: Report): Child;
  /** Starts Envoy, which reports `envoy_ready` once its listener answers and `envoy_exited` at its end. */
  spawnEnvoy(report: Report): EnvoyChild;
  link(socket: string, worker: number): void;
  /** `service` is worker 0, `service-worker-<n>` each other one. */
  writePid(name: string, pid: number): void;
  announce(admin: Address, first: boolean): void;
  log(text: string): void;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once after `ms`; the answer cancels. */
  after(ms: number, callback: () => void): () => void;
}

export interface Supervisor {
  dispatch(event: SupervisorEvent): void;
  /** Exit code, once everything has ended. */
  readonly ended: Promise<number>;
}

/** Connects the state machine to the world and starts it, with one service process or several workers. */
export function supervise(hands: SupervisorHands, workers = 1): Supervisor {
  const running = new Running(hands, initialState(workers));
  running.dispatch({ type: 'start' });
  return running;
}

type EffectOf<T extends SupervisorEffect['type']> = Extract<SupervisorEffect, { type: T }>;

class Running implements Supervisor {
  readonly #hands: SupervisorHands;
  readonly #services = new Map<number, Child>();
  readonly #timers = new Map<TimerName, () => void>();
  readonly #end = Promise.withResolvers<number>();
  readonly ended = this.#end.promise;
  readonly #queue: SupervisorEvent[] = [];
  #state: SupervisorState;
  #envoy: EnvoyChild | null = null;
  #busy = false;

  constructor(hands: SupervisorHands, state: SupervisorState) {
    this.#hands = hands;
    this.#state = state;
  }

  /** One event at a time: what happens while effects run waits until they are done. */
  dispatch(event: SupervisorEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { state, effects } = step(this.#state, next, this.#hands.now());
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    }
    this.#busy = false;
  }

  #perform(effect: SupervisorEffect): void {
    const perform = this.#effects[effect.type] as (effect: SupervisorEffect) => void;
    perform(effect);
  }

  readonly #effects: { readonly [T in SupervisorEffect['type']]: (effect: EffectOf<T>) => void } = {
    spawn_service: ({ generation, worker }) => {
      const child = this.#hands.spawnService({ generation, worker }, this.#report);
      this.#services.set(generation, child);
      if (generation === 1 && child.pid !== undefined) this.#hands.writePid(pidName(worker), child.pid);
    },
    signal_service: ({ generation, signal }) => this.#services.get(generation)?.signal(signal),
    link: ({ generation, socket, worker }) => {
      this.#hands.link(socket, worker);
      const pid = this.#services.get(generation)?.pid;
      if (pid !== undefined) this.#hands.writePid(pidName(worker), pid);
    },
    spawn_envoy: () => {
      this.#envoy = this.#hands.spawnEnvoy(this.#report);
      if (this.#envoy.pid !== undefined) this.#hands.writePid('envoy', this.#envoy.pid);
    },
    drain_envoy: () => {
      const drained = this.#envoy?.drain() ?? Promise.resolve();
      void drained.finally(() => this.dispatch({ type: 'drained' }));
    },
    signal_envoy: ({ signal }) => this.#envoy?.signal(signal),
    set_timer: ({ timer, ms }) => {
      this.#timers.get(timer)?.();
      const ring = () => {
        this.#timers.delete(timer);
        this.dispatch({ type: 'timer', timer });
      };
      this.#timers.set(timer, this.#hands.after(ms, ring));
    },
    clear_timer: ({ timer }) => {
      this.#timers.get(timer)?.();
      this.#timers.delete(timer);
    },
    announce: ({ admin, first }) => this.#hands.announce(admin, first),
    log: ({ text }) => this.#hands.log(text),
    exit: ({ code }) => {
      for (const cancel of this.#timers.values()) cancel();
      this.#timers.clear();
      this.#end.resolve(code);
    },
  };

  /** Children may report while they are being started; the event then waits for the effects at hand. */
  readonly #report: Report = (event) => {
    if (event.type === 'service_exited') this.#services.delete(event.generation);
    this.dispatch(event);
  };
}

function pidName(worker: number): string {
  return worker === 0 ? 'service' : `service-worker-${worker}`;
}
