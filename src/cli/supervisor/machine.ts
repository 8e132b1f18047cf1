import type { Address } from '../../config/snapshot.js';
import { nextDelay } from './backoff.js';
import { PATIENCE, type SupervisorEffect, type SupervisorEvent } from './events.js';

interface Service {
  readonly stage: 'starting' | 'ready' | 'retiring';
  readonly readyAt: number | null;
}

export interface SupervisorState {
  /** `running` → `draining` (Envoy) → `stopping` (Envoy, then the services) → `ended`. */
  readonly phase: 'running' | 'draining' | 'stopping' | 'ended';
  /** True once service and Envoy were both ready: from then on a death is repaired, before it the start has failed. */
  readonly announced: boolean;
  readonly lastGeneration: number;
  /** The generation behind the symlink, while it lives. */
  readonly current: number | null;
  readonly services: ReadonlyMap<number, Service>;
  /** Where the newest ready generation has its admin API; null before the first. */
  readonly admin: Address | null;
  /** SIGHUP came while a generation was starting: start one more after it. */
  readonly reloadAgain: boolean;
  readonly serviceDelay: number;
  readonly envoy: { readonly stage: 'down' | 'starting' | 'ready'; readonly readyAt: number | null };
  readonly envoyDelay: number;
  readonly exitCode: number;
}

export const INITIAL: SupervisorState = {
  phase: 'running',
  announced: false,
  lastGeneration: 0,
  current: null,
  admin: null,
  services: new Map(),
  reloadAgain: false,
  serviceDelay: 0,
  envoy: { stage: 'down', readyAt: null },
  envoyDelay: 0,
  exitCode: 0,
};

/** A state under change, and the effects collected on the way. */
type Draft = { -readonly [K in keyof SupervisorState]: SupervisorState[K] } & {
  services: Map<number, Service>;
  effects: SupervisorEffect[];
  now: number;
};

type EventOf<T extends SupervisorEvent['type']> = Extract<SupervisorEvent, { type: T }>;
type Handlers = { readonly [T in SupervisorEvent['type']]: (draft: Draft, event: EventOf<T>) => void };

/**
 * The supervisor's whole behaviour as a pure function: no clock, no process, no file.
 *
 * @param now epoch milliseconds, only compared with earlier values of itself
 */
export function step(
  state: SupervisorState,
  event: SupervisorEvent,
  now: number,
): { readonly state: SupervisorState; readonly effects: readonly SupervisorEffect[] } {
  if (state.phase === 'ended') return { state, effects: [] };
  const { effects, now: _, ...next } = apply({ ...state, services: new Map(state.services), effects: [], now }, event);
  return { state: next, effects };
}

function apply(draft: Draft, event: SupervisorEvent): Draft {
  const handle = HANDLERS[event.type] as (draft: Draft, event: SupervisorEvent) => void;
  handle(draft, event);
  return draft;
}

const HANDLERS: Handlers = {
  start(draft) {
    spawnService(draft);
    spawnEnvoy(draft);
  },
  reload(draft) {
    if (draft.phase !== 'running') return;
    if (newestStarting(draft) !== null) {
      draft.reloadAgain = true;
      return;
    }
    draft.effects.push({ type: 'clear_timer', timer: 'restart_service' });
    say(draft, `starting generation ${draft.lastGeneration + 1} of the service`);
    spawnService(draft);
  },
  stop(draft) {
    if (draft.phase === 'running') {
      beginStop(draft, 0);
      return;
    }
    say(draft, 'asked a second time: leaving at once');
    for (const generation of draft.services.keys()) signal(draft, generation, 'SIGKILL');
    if (draft.envoy.stage !== 'down') draft.effects.push({ type: 'signal_envoy', signal: 'SIGKILL' });
    end(draft, 1);
  },
  service_ready: serviceReady,
  service_exited: serviceExited,
  envoy_ready(draft) {
    draft.envoy = { stage: 'ready', readyAt: draft.now };
    announceWhenComplete(draft);
  },
  envoy_exited(draft, event) {
    const healthyFor = draft.envoy.readyAt === null ? null : draft.now - draft.envoy.readyAt;
    draft.envoy = { stage: 'down', readyAt: null };
    if (draft.phase === 'draining') {
      stopEnvoy(draft);
      return;
    }
    if (draft.phase === 'stopping') {
      draft.effects.push({ type: 'clear_timer', timer: 'kill_envoy' });
      stopServices(draft);
      return;
    }
    if (!draft.announced) {
      fail(draft, `Envoy did not start (${event.reason})`);
      return;
    }
    draft.envoyDelay = nextDelay(draft.envoyDelay, healthyFor);
    say(draft, `Envoy ended (${event.reason}); starting it again in ${draft.envoyDelay} ms`);
    draft.effects.push({ type: 'set_timer', timer: 'restart_envoy', ms: draft.envoyDelay });
  },
  drained(draft) {
    if (draft.phase === 'draining') stopEnvoy(draft);
  },
  timer(draft, event) {
    const [name, generation] = event.timer.split(':');
    TIMERS[name ?? '']?.(draft, Number(generation));
  },
};

const TIMERS: Readonly<Record<string, (draft: Draft, generation: number) => void>> = {
  restart_service(draft) {
    if (draft.phase === 'running' && draft.current === null && newestStarting(draft) === null) spawnService(draft);
  },
  restart_envoy(draft) {
    if (draft.phase === 'running' && draft.envoy.stage === 'down') spawnEnvoy(draft);
  },
  kill_envoy(draft) {
    if (draft.envoy.stage !== 'down') draft.effects.push({ type: 'signal_envoy', signal: 'SIGKILL' });
  },
  kill_services(draft) {
    for (const generation of draft.services.keys()) signal(draft, generation, 'SIGKILL');
  },
  start(draft, generation) {
    if (draft.services.get(generation)?.stage !== 'starting') return;
    say(draft, `generation ${generation} was not ready after ${PATIENCE.serviceStart / 1000} s: ending it`);
    signal(draft, generation, 'SIGKILL');
  },
  retire(draft, generation) {
    if (!draft.services.has(generation)) return;
    say(draft, `generation ${generation} still had streams an hour after its successor took over: ending it`);
    signal(draft, generation, 'SIGKILL');
  },
};

function serviceReady(draft: Draft, event: EventOf<'service_ready'>): void {
  const service = draft.services.get(event.generation);
  if (service?.stage !== 'starting' || draft.phase !== 'running') return;
  draft.effects.push({ type: 'clear_timer', timer: `start:${event.generation}` });
  draft.services.set(event.generation, { stage: 'ready', readyAt: draft.now });
  // First the path, then the old one's goodbye: its GOAWAY makes Envoy connect again, and that must find the new socket.
  draft.effects.push({ type: 'link', generation: event.generation, socket: event.socket });
  const old = draft.current;
  draft.current = event.generation;
  if (old !== null) retire(draft, old);
  const moved = draft.admin === null || !sameAddress(draft.admin, event.admin);
  draft.admin = event.admin;
  if (draft.announced && moved) draft.effects.push({ type: 'announce', admin: event.admin, first: false });
  if (draft.announced) say(draft, `generation ${event.generation} of the service took over`);
  announceWhenComplete(draft);
  reloadIfWanted(draft);
}

function serviceExited(draft: Draft, event: EventOf<'service_exited'>): void {
  const service = draft.services.get(event.generation);
  if (service === undefined) return;
  draft.services.delete(event.generation);
  draft.effects.push({ type: 'clear_timer', timer: `start:${event.generation}` });
  draft.effects.push({ type: 'clear_timer', timer: `retire:${event.generation}` });
  if (draft.current === event.generation) draft.current = null;
  if (draft.phase !== 'running') {
    endWhenEmpty(draft);
    return;
  }
  if (service.stage === 'retiring') {
    say(draft, `generation ${event.generation} has finished its streams`);
    return;
  }
  if (!draft.announced) {
    fail(draft, `the service did not start (${event.reason})`);
    return;
  }
  if (draft.current !== null) {
    say(draft, `generation ${event.generation} did not start (${event.reason}); generation ${draft.current} goes on`);
    reloadIfWanted(draft);
    return;
  }
  if (newestStarting(draft) !== null) return;
  draft.serviceDelay = nextDelay(draft.serviceDelay, service.readyAt === null ? null : draft.now - service.readyAt);
  say(draft, `the service ended (${event.reason}); starting it again in ${draft.serviceDelay} ms`);
  draft.effects.push({ type: 'set_timer', timer: 'restart_service', ms: draft.serviceDelay });
}

function reloadIfWanted(draft: Draft): void {
  if (draft.reloadAgain) spawnService(draft);
}

function spawnService(draft: Draft): void {
  draft.reloadAgain = false;
  draft.lastGeneration += 1;
  const generation = draft.lastGeneration;
  draft.services.set(generation, { stage: 'starting', readyAt: null });
  draft.effects.push({ type: 'spawn_service', generation });
  draft.effects.push({ type: 'set_timer', timer: `start:${generation}`, ms: PATIENCE.serviceStart });
}

function spawnEnvoy(draft: Draft): void {
  draft.envoy = { stage: 'starting', readyAt: null };
  draft.effects.push({ type: 'spawn_envoy' });
}

function retire(draft: Draft, generation: number): void {
  const service = draft.services.get(generation);
  if (service === undefined) return;
  draft.services.set(generation, { ...service, stage: 'retiring' });
  signal(draft, generation, 'SIGTERM');
  draft.effects.push({ type: 'set_timer', timer: `retire:${generation}`, ms: PATIENCE.retire });
}

function announceWhenComplete(draft: Draft): void {
  if (draft.announced || draft.phase !== 'running') return;
  if (draft.current === null || draft.admin === null || draft.envoy.stage !== 'ready') return;
  draft.announced = true;
  draft.effects.push({ type: 'announce', admin: draft.admin, first: true });
}

function fail(draft: Draft, text: string): void {
  say(draft, text);
  beginStop(draft, 1);
}

function beginStop(draft: Draft, exitCode: number): void {
  draft.exitCode = exitCode;
  for (const timer of ['restart_service', 'restart_envoy'] as const) draft.effects.push({ type: 'clear_timer', timer });
  draft.phase = 'draining';
  if (draft.envoy.stage === 'ready' && exitCode === 0) draft.effects.push({ type: 'drain_envoy' });
  else stopEnvoy(draft);
}

function stopEnvoy(draft: Draft): void {
  draft.phase = 'stopping';
  // Envoy leaves first: streams it still had end for the service too, which then settles them before it goes.
  if (draft.envoy.stage === 'down') {
    stopServices(draft);
    return;
  }
  draft.effects.push({ type: 'signal_envoy', signal: 'SIGTERM' });
  draft.effects.push({ type: 'set_timer', timer: 'kill_envoy', ms: PATIENCE.envoyStop });
}

function stopServices(draft: Draft): void {
  for (const generation of draft.services.keys()) signal(draft, generation, 'SIGTERM');
  draft.effects.push({ type: 'set_timer', timer: 'kill_services', ms: PATIENCE.serviceStop });
  endWhenEmpty(draft);
}

function endWhenEmpty(draft: Draft): void {
  if (draft.phase === 'stopping' && draft.services.size === 0 && draft.envoy.stage === 'down') {
    end(draft, draft.exitCode);
  }
}

function end(draft: Draft, code: number): void {
  draft.phase = 'ended';
  draft.effects.push({ type: 'exit', code });
}

function newestStarting(draft: Draft): number | null {
  const service = draft.services.get(draft.lastGeneration);
  return service?.stage === 'starting' ? draft.lastGeneration : null;
}

function signal(draft: Draft, generation: number, name: 'SIGTERM' | 'SIGKILL'): void {
  draft.effects.push({ type: 'signal_service', generation, signal: name });
}

function say(draft: Draft, text: string): void {
  draft.effects.push({ type: 'log', text });
}

function sameAddress(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port;
}
