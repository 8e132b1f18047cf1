import fc from 'fast-check';
import t from 'tap';
import { BACKOFF, nextDelay } from '../../../src/cli/supervisor/backoff.js';
import { PATIENCE, type SupervisorEffect, type SupervisorEvent } from '../../../src/cli/supervisor/events.js';
import { initialState, type SupervisorState, step } from '../../../src/cli/supervisor/machine.js';

const ADMIN = { host: '127.0.0.1', port: 8090 };

/** Feeds events to the machine and remembers what it wanted. */
class Run {
  state: SupervisorState;
  now = 1_000;
  readonly all: SupervisorEffect[] = [];

  constructor(workers = 1) {
    this.state = initialState(workers);
  }

  /** The effects of one event, in short: `spawn_service 2`, `signal_service 1 SIGTERM`, `set_timer restart_service:0 100`. */
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
  t.same(run.on({ type: 'start' }), ['spawn_service 1 0', `set_timer start:1 ${PATIENCE.serviceStart}`, 'spawn_envoy']);
  t.same(run.ready(1), ['clear_timer start:1', 'link 1 s1 0'], 'linked before Envoy is there');
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
  t.ok(effects.includes('set_timer restart_service:0 100'));
  t.notOk(effects.some((effect) => effect.includes('envoy')));
  t.ok(run.on({ type: 'timer', timer: 'restart_service:0' }).includes('spawn_service 2 0'));
  t.same(run.ready(2), ['clear_timer start:2', 'link 2 s2 0'], 'same admin address: nothing to announce');
});

t.test('waiting times double, stop at 5 s and begin anew after 10 s of health', async (t) => {
  const run = new Run().started();
  const waits: number[] = [];
  const die = (generation: number) => {
    for (const effect of run.raw({ type: 'service_exited', generation, reason: 'SIGKILL' })) {
      if (effect.type === 'set_timer') waits.push(effect.ms);
    }
    run.on({ type: 'timer', timer: 'restart_service:0' });
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
  t.ok(run.on({ type: 'reload' }).includes('spawn_service 2 0'));
  t.same(run.ready(2), [
    'clear_timer start:2',
    'link 2 s2 0',
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
  t.equal(run.state.current.get(0), 1);
  t.match(run.logs(), /generation 2 did not start \(exit code 1\); generation 1 goes on/);
});

t.test('a reload during a start is done after it', async (t) => {
  const run = new Run().started();
  run.on({ type: 'reload' });
  t.same(run.on({ type: 'reload' }), []);
  t.ok(run.ready(2).includes('spawn_service 3 0'));
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

t.test('several workers', async (t) => {
  const run = new Run(3);
  t.ok(run.on({ type: 'start' }).includes('spawn_service 1 0'));
  run.on({ type: 'envoy_ready' });
  const others = run.ready(1).filter((effect) => effect.startsWith('spawn_service'));
  t.same(others, ['spawn_service 2 1', 'spawn_service 3 2'], 'the others start when the first one is ready');
  t.notOk(run.ready(3).some((effect) => effect.startsWith('announce')));
  t.ok(run.ready(2).includes('announce true'), 'announced when all are ready');

  t.test('one dies: only it is started again', async (t) => {
    t.ok(run.exited(2, 'SIGKILL').includes('set_timer restart_service:1 100'));
    t.ok(run.on({ type: 'timer', timer: 'restart_service:1' }).includes('spawn_service 4 1'));
    t.same(run.ready(4), ['clear_timer start:4', 'link 4 s4 1']);
    t.match(run.logs(), /worker 1 ended \(SIGKILL\)/);
  });

  t.test('a reload replaces one after the other', async (t) => {
    t.same(started(run.on({ type: 'reload' })), ['spawn_service 5 0']);
    const effects = run.ready(5);
    t.ok(effects.includes('signal_service 1 SIGTERM'));
    t.same(started(effects), ['spawn_service 6 1']);
    t.same(run.on({ type: 'reload' }), [], 'once more after this one');
    t.same(started(run.ready(6)), ['spawn_service 7 2']);
    t.same(started(run.ready(7)), ['spawn_service 8 0']);
    t.same(run.state.services.get(5)?.stage, 'ready', 'it serves until its successor is ready');
  });

  t.test('what one does not survive, the others are spared', async (t) => {
    t.same(started(run.exited(8)), []);
    t.same([...run.state.current.values()].sort(), [5, 6, 7]);
    t.match(run.logs(), /generation 8 \(worker 0\) did not start \(exit code 1\); generation 5 goes on/);
  });

  t.test('a stop ends all', async (t) => {
    run.on({ type: 'stop' });
    run.on({ type: 'drained' });
    const told = run.on({ type: 'envoy_exited', reason: 'SIGTERM' }).filter((effect) => effect.startsWith('signal'));
    t.same(
      told.sort(),
      [1, 3, 4, 5, 6, 7].map((generation) => `signal_service ${generation} SIGTERM`),
    );
  });
});

function started(effects: readonly string[]): readonly string[] {
  return effects.filter((effect) => effect.startsWith('spawn_service'));
}

t.test('whatever happens in whatever order', async (t) => {
  const action = fc.constantFrom('reload', 'ready', 'service_dies', 'envoy_dies', 'envoy_ready', 'timer', 'stop');
  const scripts = fc.array(fc.tuple(action, fc.nat()), { maxLength: 60 });
  const property = fc.property(fc.constantFrom(1, 1, 2, 3), scripts, (workers, script) => {
    const world = new World(workers);
    world.happen({ type: 'start' });
    for (const [name, pick] of script) world.act(name, pick);
    world.checkRest();
  });
  fc.assert(property, { numRuns: 2_000 });
  t.pass('invariants hold');
});

/** Children and timers as they would be, with the rules that must hold whatever happens. */
class World {
  readonly run: Run;
  /** By generation. */
  readonly places = new Map<number, number>();
  readonly services = new Map<number, 'starting' | 'ready'>();
  readonly timers = new Set<string>();
  envoy: 'down' | 'starting' | 'ready' = 'down';
  /** By worker. */
  readonly linked = new Map<number, number>();
  stops = 0;
  exit: number | null = null;

  constructor(workers: number) {
    this.run = new Run(workers);
  }

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
      this.unlink(generation);
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

  unlink(generation: number): void {
    for (const [worker, linked] of this.linked) if (linked === generation) this.linked.delete(worker);
  }

  happen(event: SupervisorEvent): void {
    for (const effect of this.run.raw(event)) this.perform(effect);
  }

  perform(effect: SupervisorEffect): void {
    if (this.exit !== null) throw new Error(`${effect.type} after the end`);
    if (effect.type === 'spawn_service') {
      this.services.set(effect.generation, 'starting');
      this.places.set(effect.generation, effect.worker);
    }
    if (effect.type === 'spawn_envoy') {
      if (this.envoy !== 'down') throw new Error('two Envoys');
      this.envoy = 'starting';
    }
    if (effect.type === 'set_timer') this.timers.add(effect.timer);
    if (effect.type === 'clear_timer') this.timers.delete(effect.timer);
    if (effect.type === 'link') {
      if (this.services.get(effect.generation) !== 'ready') throw new Error('linked one that is not ready');
      this.linked.set(effect.worker, effect.generation);
    }
    const inCharge = effect.type === 'signal_service' && [...this.linked.values()].includes(effect.generation);
    if (inCharge && this.run.state.phase === 'running') {
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
    // Before everything was ready once, a death ends all; the others start after the first.
    const { announced, workers } = this.run.state;
    for (let worker = 0; worker < (announced ? workers : 1); worker += 1) {
      const starting = [...this.services].some(
        ([generation, stage]) => stage === 'starting' && this.places.get(generation) === worker,
      );
      const alive = this.linked.has(worker) || starting;
      if (!alive && !this.timers.has(`restart_service:${worker}`)) throw new Error(`nobody restarts worker ${worker}`);
    }
    if (this.envoy === 'down' && !this.timers.has('restart_envoy')) throw new Error('nobody restarts Envoy');
  }
}
