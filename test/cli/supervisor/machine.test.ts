import fc from 'fast-check';
import t from 'tap';
import { BACKOFF, nextDelay } from '../../../src/cli/supervisor/backoff.js';
import { PATIENCE, type SupervisorEffect, type SupervisorEvent } from '../../../src/cli/supervisor/events.js';
import { INITIAL, type SupervisorState, step } from '../../../src/cli/supervisor/machine.js';

const ADMIN = { host: '127.0.0.1', port: 8090 };

/** Feeds events to the machine and remembers what it wanted. */
class Run {
  state: SupervisorState = INITIAL;
  now = 1_000;
  readonly all: SupervisorEffect[] = [];

  /** The effects of one event, in short: `spawn_service 2`, `signal_service 1 SIGTERM`, `set_timer restart_service 100`. */
  on(event: SupervisorEvent): string[] {
    return this.raw(event)
      .filter((effect) => effect.type !== 'log')
      .map((effect) => {
        const { type, ...rest } = effect;
        return [type, ...Object.values(rest).filter((value) => typeof value !== 'object')].join(' ');
      });
  }

  raw(event: SupervisorEvent): readonly SupervisorEffect[] {
    const { state, effects } = step(this.state, event, this.now);
    this.state = state;
    this.all.push(...effects);
    return effects;
  }

  ready(generation: number, admin = ADMIN): string[] {
    return this.on({ type: 'service_ready', generation, admin, socket: `s${generation}` });
  }

  exited(generation: number, reason = 'exit code 1'): string[] {
    return this.on({ type: 'service_exited', generation, reason });
  }

  started(): this {
    this.on({ type: 'start' });
    this.on({ type: 'envoy_ready' });
    this.ready(1);
    return this;
  }

  logs(): string {
    return this.all.map((effect) => (effect.type === 'log' ? effect.text : '')).join('\n');
  }
}

t.test('a start', async (t) => {
  const run = new Run();
  t.same(run.on({ type: 'start' }), ['spawn_service 1', `set_timer start:1 ${PATIENCE.serviceStart}`, 'spawn_envoy']);
  t.same(run.ready(1), ['clear_timer start:1', 'link 1 s1'], 'linked before Envoy is there');
  t.same(run.on({ type: 'envoy_ready' }), ['announce true']);
  t.same(run.on({ type: 'envoy_ready' }), [], 'announced once');
});

t.test('a start that fails ends everything with exit code 1', async (t) => {
  const service = new Run();
  service.on({ type: 'start' });
  service.on({ type: 'envoy_ready' });
  t.same(service.exited(1).slice(-2), ['signal_envoy SIGTERM', `set_timer kill_envoy ${PATIENCE.envoyStop}`]);
  t.match(service.on({ type: 'envoy_exited', reason: 'SIGTERM' }).at(-1), 'exit 1');

  const envoy = new Run();
  envoy.on({ type: 'start' });
  envoy.ready(1);
  t.ok(envoy.on({ type: 'envoy_exited', reason: 'exit code 1' }).includes('signal_service 1 SIGTERM'));
  t.equal(envoy.exited(1, 'exit code 0').at(-1), 'exit 1');
  t.match(envoy.logs(), /Envoy did not start \(exit code 1\)/);

  const hanging = new Run();
  hanging.on({ type: 'start' });
  t.same(hanging.on({ type: 'timer', timer: 'start:1' }), ['signal_service 1 SIGKILL']);
});

t.test('a dead service comes back as the next generation, Envoy is left alone', async (t) => {
  const run = new Run().started();
  const effects = run.exited(1, 'SIGKILL');
  t.ok(effects.includes('set_timer restart_service 100'));
  t.notOk(effects.some((effect) => effect.includes('envoy')));
  t.ok(run.on({ type: 'timer', timer: 'restart_service' }).includes('spawn_service 2'));
  t.same(run.ready(2), ['clear_timer start:2', 'link 2 s2'], 'same admin address: nothing to announce');
});

t.test('waiting times double, stop at 5 s and begin anew after 10 s of health', async (t) => {
  const run = new Run().started();
  const waits: number[] = [];
  const die = (generation: number) => {
    for (const effect of run.raw({ type: 'service_exited', generation, reason: 'SIGKILL' })) {
      if (effect.type === 'set_timer') waits.push(effect.ms);
    }
    run.on({ type: 'timer', timer: 'restart_service' });
  };
  for (let generation = 1; generation <= 8; generation += 1) die(generation);
  run.ready(9);
  run.now += BACKOFF.healthyMs;
  die(9);
  t.same(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 100]);
  t.equal(nextDelay(400, BACKOFF.healthyMs - 1), 800);
});

t.test('Envoy is started again, the service is left alone', async (t) => {
  const run = new Run().started();
  t.same(run.on({ type: 'envoy_exited', reason: 'SIGSEGV' }), ['set_timer restart_envoy 100']);
  t.same(run.on({ type: 'timer', timer: 'restart_envoy' }), ['spawn_envoy']);
  t.same(run.on({ type: 'envoy_ready' }), []);
});

t.test('a reload: the path moves first, then the old generation is told', async (t) => {
  const run = new Run().started();
  t.ok(run.on({ type: 'reload' }).includes('spawn_service 2'));
  t.same(run.ready(2), [
    'clear_timer start:2',
    'link 2 s2',
    'signal_service 1 SIGTERM',
    `set_timer retire:1 ${PATIENCE.retire}`,
  ]);
  t.same(run.on({ type: 'timer', timer: 'retire:1' }), ['signal_service 1 SIGKILL']);
  t.same(run.exited(1, 'SIGKILL'), ['clear_timer start:1', 'clear_timer retire:1'], 'no restart for it');
});

t.test('a reload that fails leaves the old generation in charge', async (t) => {
  const run = new Run().started();
  run.on({ type: 'reload' });
  t.notOk(run.exited(2).some((effect) => /link|SIGTERM|restart/.test(effect)));
  t.equal(run.state.current, 1);
  t.match(run.logs(), /generation 2 did not start \(exit code 1\); generation 1 goes on/);
});

t.test('a reload during a start is done after it', async (t) => {
  const run = new Run().started();
  run.on({ type: 'reload' });
  t.same(run.on({ type: 'reload' }), []);
  t.ok(run.ready(2).includes('spawn_service 3'));
  t.notOk(
    run.ready(3).some((effect) => effect.startsWith('spawn_service')),
    'once',
  );
});

t.test('a moved admin address is announced again', async (t) => {
  const run = new Run().started();
  run.on({ type: 'reload' });
  t.ok(run.ready(2, { host: '127.0.0.1', port: 8091 }).includes('announce false'));
});

t.test('the current one dies while its successor starts', async (t) => {
  const run = new Run().started();
  run.on({ type: 'reload' });
  t.notOk(
    run.exited(1, 'SIGKILL').some((effect) => effect.includes('restart_service')),
    'the successor is the restart',
  );
  t.ok(run.exited(2).some((effect) => effect.startsWith('set_timer restart_service')));
});

t.test('a stop: Envoy drains and leaves, then the services, then the end', async (t) => {
  const run = new Run().started();
  run.on({ type: 'reload' });
  run.ready(2);
  t.ok(run.on({ type: 'stop' }).includes('drain_envoy'));
  t.same(run.on({ type: 'drained' }), ['signal_envoy SIGTERM', `set_timer kill_envoy ${PATIENCE.envoyStop}`]);
  t.same(run.on({ type: 'timer', timer: 'kill_envoy' }), ['signal_envoy SIGKILL']);
  t.same(run.on({ type: 'envoy_exited', reason: 'SIGKILL' }), [
    'clear_timer kill_envoy',
    'signal_service 1 SIGTERM',
    'signal_service 2 SIGTERM',
    `set_timer kill_services ${PATIENCE.serviceStop}`,
  ]);
  t.notMatch(run.exited(1, 'exit code 0').join(), 'exit ');
  t.equal(run.exited(2, 'exit code 0').at(-1), 'exit 0');
  t.same(run.on({ type: 'start' }), [], 'nothing after the end');
});

t.test('a second stop ends at once', async (t) => {
  const run = new Run().started();
  run.on({ type: 'stop' });
  t.same(run.on({ type: 'stop' }), ['signal_service 1 SIGKILL', 'signal_envoy SIGKILL', 'exit 1']);
});

t.test('whatever happens in whatever order', async (t) => {
  const action = fc.constantFrom('reload', 'ready', 'service_dies', 'envoy_dies', 'envoy_ready', 'timer', 'stop');
  const property = fc.property(fc.array(fc.tuple(action, fc.nat()), { maxLength: 60 }), (script) => {
    const world = new World();
    world.happen({ type: 'start' });
    for (const [name, pick] of script) world.act(name, pick);
    world.checkRest();
  });
  fc.assert(property, { numRuns: 2_000 });
  t.pass('invariants hold');
});

/** Children and timers as they would be, with the rules that must hold whatever happens. */
class World {
  readonly run = new Run();
  readonly services = new Map<number, 'starting' | 'ready'>();
  readonly timers = new Set<string>();
  envoy: 'down' | 'starting' | 'ready' = 'down';
  linked: number | null = null;
  stops = 0;
  exit: number | null = null;

  act(name: string, pick: number): void {
    const generations = [...this.services.keys()];
    const starting = generations.filter((generation) => this.services.get(generation) === 'starting');
    const one = (from: readonly number[]) => from[pick % from.length] ?? 0;
    this.run.now += pick % 20_000;
    if (name === 'reload') this.happen({ type: 'reload' });
    if (name === 'stop' && pick % 5 === 0) {
      this.stops += 1;
      this.happen({ type: 'stop' });
    }
    if (name === 'ready' && starting.length > 0) {
      this.services.set(one(starting), 'ready');
      this.happen({ type: 'service_ready', generation: one(starting), admin: ADMIN, socket: `s${one(starting)}` });
    }
    if (name === 'service_dies' && generations.length > 0) {
      const generation = one(generations);
      this.services.delete(generation);
      if (this.linked === generation) this.linked = null;
      this.happen({ type: 'service_exited', generation, reason: 'test' });
    }
    if (name === 'envoy_dies' && this.envoy !== 'down') {
      this.envoy = 'down';
      this.happen({ type: 'envoy_exited', reason: 'test' });
    }
    if (name === 'envoy_ready' && this.envoy === 'starting') {
      this.envoy = 'ready';
      this.happen({ type: 'envoy_ready' });
    }
    const timer = [...this.timers][pick % Math.max(1, this.timers.size)];
    if (name === 'timer' && timer !== undefined) {
      this.timers.delete(timer);
      this.happen({ type: 'timer', timer: timer as never });
    }
  }

  happen(event: SupervisorEvent): void {
    for (const effect of this.run.raw(event)) this.perform(effect);
  }

  perform(effect: SupervisorEffect): void {
    if (this.exit !== null) throw new Error(`${effect.type} after the end`);
    if (effect.type === 'spawn_service') this.services.set(effect.generation, 'starting');
    if (effect.type === 'spawn_envoy') {
      if (this.envoy !== 'down') throw new Error('two Envoys');
      this.envoy = 'starting';
    }
    if (effect.type === 'set_timer') this.timers.add(effect.timer);
    if (effect.type === 'clear_timer') this.timers.delete(effect.timer);
    if (effect.type === 'link') {
      if (this.services.get(effect.generation) !== 'ready') throw new Error('linked one that is not ready');
      this.linked = effect.generation;
    }
    if (effect.type === 'signal_service' && this.run.state.phase === 'running' && this.linked === effect.generation) {
      throw new Error('the generation in charge was told to go');
    }
    if (effect.type === 'exit') {
      this.exit = effect.code;
      const empty = this.services.size === 0 && this.envoy === 'down';
      if (!empty && this.stops < 1) throw new Error('left children behind');
    }
  }

  /** While running, something is always there or on its way. */
  checkRest(): void {
    if (this.run.state.phase !== 'running') return;
    const alive = this.linked !== null || [...this.services.values()].includes('starting');
    if (!alive && !this.timers.has('restart_service')) throw new Error('nobody restarts the service');
    if (this.envoy === 'down' && !this.timers.has('restart_envoy')) throw new Error('nobody restarts Envoy');
  }
}
