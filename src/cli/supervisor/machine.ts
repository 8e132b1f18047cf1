import type { Address } from '../../config/snapshot.js';
import { nextDelay } from './backoff.js';
import { PATIENCE, type SupervisorEffect, type SupervisorEvent } from './events.js';

interface Service {
  /** The place that it has or wants: 0 up to the number of workers. */
  readonly worker: number;
  readonly stage: 'starting' | 'ready' | 'retiring';
  readonly readyAt: number | null;
}

export interface SupervisorState {
  /** Service processes that Envoy asks, each with a pipe path of its own. */
  readonly workers: number;
  /** `running` → `draining` (Envoy) → `stopping` (Envoy, then the services) → `ended`. */
  readonly phase: 'running' | 'draining' | 'stopping' | 'ended';
  /** True once all workers and Envoy were ready: from then on a death is repaired, before it the start has failed. */
  readonly announced: boolean;
  readonly lastGeneration: number;
  /** By worker, the generation behind its symlink, while it lives. */
  readonly current: ReadonlyMap<number, number>;
  readonly services: ReadonlyMap<number, Service>;
  /** Where worker 0 has the admin API; null before it was ready. */
  readonly admin: Address | null;
  /** Workers that are still to be replaced, one after the other; the first one's successor is starting. */
  readonly rolling: readonly number[];
  /** SIGHUP came while a generation was starting: replace all workers once more after it. */
  readonly reloadAgain: boolean;
  /** By worker, in milliseconds. */
  readonly serviceDelays: ReadonlyMap<number, number>;
  readonly envoy: { readonly stage: 'down' | 'starting' | 'ready'; readonly readyAt: number | null };
  readonly envoyDelay: number;
  readonly exitCode: number;
}

/** Nothing runs yet. */
export function initialState(workers: number): SupervisorState {
  return {
    workers,
    phase: 'running',
    announced: false,
    lastGeneration: 0,
    current: new Map(),
    admin: null,
    services: new Map(),
    rolling: [],
    reloadAgain: false,
    serviceDelays: new Map(),
    envoy: { stage: 'down', readyAt: null },
    envoyDelay: 0,
    exitCode: 0,
  };
}

/** A state under change, and the effects collected on the way. */
type Draft = { -readonly [K in keyof SupervisorState]: SupervisorState[K] } & {
  services: Map<number, Service>;
  current: Map<number, number>;
  serviceDelays: Map<number, number>;
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
  const { effects, now: _, ...next } = apply(draftOf(state, now), event);
  return { state: next, effects };
}

function draftOf(state: SupervisorState, now: number): Draft {
  const { services, current, serviceDelays } = state;
  const maps = {
    services: new Map(services),
    current: new Map(current),
    serviceDelays: new Map(serviceDelays),
  };
  return { ...state, ...maps, effects: [], now };
}

function apply(draft: Draft, event: SupervisorEvent): Draft {
  const handle = HANDLERS[event.type] as (draft: Draft, event: SupervisorEvent) => void;
  handle(draft, event);
  return draft;
}

const HANDLERS: Handlers = {
  start(draft) {
    // The others wait for the first one: what a data directory gets once (pepper, database) one process makes.
    spawnService(draft, 0);
    spawnEnvoy(draft);
  },
  reload(draft) {
    if (draft.phase !== 'running') return;
    draft.reloadAgain = true;
    reloadIfWanted(draft);
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
  restart_service(draft, worker) {
    if (draft.phase === 'running' && isAbsent(draft, worker)) spawnService(draft, worker);
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
  const { generation, socket } = event;
  const service = draft.services.get(generation);
  if (service?.stage !== 'starting' || draft.phase !== 'running') return;
  const { worker } = service;
  draft.effects.push({ type: 'clear_timer', timer: `start:${generation}` });
  draft.services.set(generation, { ...service, stage: 'ready', readyAt: draft.now });
  // First the path, then the old one's goodbye: its GOAWAY makes Envoy connect again, and that must find the new socket.
  draft.effects.push({ type: 'link', generation, socket, worker });
  const old = draft.current.get(worker);
  draft.current.set(worker, generation);
  if (old !== undefined) retire(draft, old);
  if (worker === 0) placeAdmin(draft, event.admin);
  if (draft.announced) say(draft, `${named(draft, worker, generation)} of the service took over`);
  else startOthers(draft);
  announceWhenComplete(draft);
  if (draft.rolling[0] === worker) {
    draft.rolling = draft.rolling.slice(1);
    rollOn(draft);
  }
  reloadIfWanted(draft);
}

function placeAdmin(draft: Draft, admin: Address): void {
  const moved = draft.admin === null || !sameAddress(draft.admin, admin);
  draft.admin = admin;
  if (draft.announced && moved) draft.effects.push({ type: 'announce', admin, first: false });
}

function startOthers(draft: Draft): void {
  for (let worker = 1; worker < draft.workers; worker += 1) if (isAbsent(draft, worker)) spawnService(draft, worker);
}

function serviceExited(draft: Draft, event: EventOf<'service_exited'>): void {
  const { generation, reason } = event;
  const service = draft.services.get(generation);
  if (service === undefined) return;
  const { worker } = service;
  draft.services.delete(generation);
  draft.effects.push({ type: 'clear_timer', timer: `start:${generation}` });
  draft.effects.push({ type: 'clear_timer', timer: `retire:${generation}` });
  if (draft.current.get(worker) === generation) draft.current.delete(worker);
  if (draft.phase !== 'running') {
    endWhenEmpty(draft);
    return;
  }
  if (service.stage === 'retiring') {
    say(draft, `${named(draft, worker, generation)} has finished its streams`);
    return;
  }
  if (!draft.announced) {
    fail(draft, `the service did not start (${reason})`);
    return;
  }
  // What one worker did not survive, the others are spared.
  if (service.stage === 'starting') draft.rolling = [];
  const current = draft.current.get(worker);
  if (current !== undefined) {
    say(draft, `${named(draft, worker, generation)} did not start (${reason}); generation ${current} goes on`);
    reloadIfWanted(draft);
  } else if (isAbsent(draft, worker)) startAgainLater(draft, service, reason);
}

function startAgainLater(draft: Draft, { worker, readyAt }: Service, reason: string): void {
  const delay = nextDelay(draft.serviceDelays.get(worker) ?? 0, readyAt === null ? null : draft.now - readyAt);
  draft.serviceDelays.set(worker, delay);
  const who = draft.workers === 1 ? 'the service' : `worker ${worker}`;
  say(draft, `${who} ended (${reason}); starting it again in ${delay} ms`);
  draft.effects.push({ type: 'set_timer', timer: `restart_service:${worker}`, ms: delay });
}

/** Begins to replace all workers, unless one is starting: then once it has. */
function reloadIfWanted(draft: Draft): void {
  if (!draft.reloadAgain || isStarting(draft, () => true)) return;
  draft.reloadAgain = false;
  draft.rolling = Array.from({ length: draft.workers }, (_, worker) => worker);
  rollOn(draft);
}

/** One at a time, so that a configuration that does not start costs nothing. */
function rollOn(draft: Draft): void {
  const [worker] = draft.rolling;
  if (worker === undefined || isStarting(draft, (service) => service.worker === worker)) return;
  draft.effects.push({ type: 'clear_timer', timer: `restart_service:${worker}` });
  say(draft, `starting ${named(draft, worker, draft.lastGeneration + 1)} of the service`);
  spawnService(draft, worker);
}

function spawnService(draft: Draft, worker: number): void {
  // The only service starts with the configuration of now: that is the reload.
  if (draft.workers === 1) draft.reloadAgain = false;
  draft.lastGeneration += 1;
  const generation = draft.lastGeneration;
  draft.services.set(generation, { worker, stage: 'starting', readyAt: null });
  draft.effects.push({ type: 'spawn_service', generation, worker });
  draft.effects.push({ type: 'set_timer', timer: `start:${generation}`, ms: PATIENCE.serviceStart });
}

function isStarting(draft: Draft, which: (service: Service) => boolean): boolean {
  return [...draft.services.values()].some((service) => service.stage === 'starting' && which(service));
}

/** Nobody serves in this place, and nobody is about to. */
function isAbsent(draft: Draft, worker: number): boolean {
  return !draft.current.has(worker) && !isStarting(draft, (service) => service.worker === worker);
}

function named(draft: Draft, worker: number, generation: number): string {
  return draft.workers === 1 ? `generation ${generation}` : `generation ${generation} (worker ${worker})`;
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
  if (draft.current.size < draft.workers || draft.admin === null || draft.envoy.stage !== 'ready') return;
  draft.announced = true;
  draft.effects.push({ type: 'announce', admin: draft.admin, first: true });
}

function fail(draft: Draft, text: string): void {
  say(draft, text);
  beginStop(draft, 1);
}

function beginStop(draft: Draft, exitCode: number): void {
  draft.exitCode = exitCode;
  draft.effects.push({ type: 'clear_timer', timer: 'restart_envoy' });
  for (let worker = 0; worker < draft.workers; worker += 1)
    draft.effects.push({ type: 'clear_timer', timer: `restart_service:${worker}` });
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

function signal(draft: Draft, generation: number, name: 'SIGTERM' | 'SIGKILL'): void {
  draft.effects.push({ type: 'signal_service', generation, signal: name });
}

function say(draft: Draft, text: string): void {
  draft.effects.push({ type: 'log', text });
}

function sameAddress(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port;
}
