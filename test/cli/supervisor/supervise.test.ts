import t from 'tap';
import type { SupervisorEvent } from '../../../src/cli/supervisor/events.js';
import { type SupervisorHands, supervise } from '../../../src/cli/supervisor/supervise.js';

/** A world without processes and clock; everything that was done to it is in `done`. */
function world() {
  const done: string[] = [];
  const timers: { ms: number; ring: () => void }[] = [];
  const reports = new Map<string, (event: SupervisorEvent) => void>();
  const hands: SupervisorHands = {
    spawnService: ({ generation }, report) => {
      done.push(`spawn service ${generation}`);
      reports.set(`service ${generation}`, report);
      return { pid: 100 + generation, signal: (name) => done.push(`${name} service ${generation}`) };
    },
    spawnEnvoy: (report) => {
      done.push('spawn envoy');
      reports.set('envoy', report);
      return { pid: 50, signal: (name) => done.push(`${name} envoy`), drain: async () => void done.push('drain') };
    },
    link: (socket) => done.push(`link ${socket}`),
    writePid: (name, pid) => done.push(`pid ${name} ${pid}`),
    announce: (admin, first) => done.push(`announce ${admin.port} ${first}`),
    log: () => undefined,
    now: () => 0,
    after: (ms, ring) => {
      const timer = { ms, ring };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
  };
  const report = (who: string, event: SupervisorEvent) => reports.get(who)?.(event);
  return { done, timers, hands, report, take: () => done.splice(0) };
}

const ready = (generation: number): SupervisorEvent => {
  return { type: 'service_ready', generation, admin: { host: '::1', port: 8090 }, socket: `s${generation}` };
};

t.test('start, reload, kill, stop', async (t) => {
  const { hands, take, report, timers } = world();
  const supervisor = supervise(hands);
  t.same(take(), ['spawn service 1', 'pid service 101', 'spawn envoy', 'pid envoy 50']);
  report('service 1', ready(1));
  report('envoy', { type: 'envoy_ready' });
  t.same(take(), ['link s1', 'pid service 101', 'announce 8090 true']);

  supervisor.dispatch({ type: 'reload' });
  t.same(take(), ['spawn service 2'], 'the pid file names the old one until the new one is in charge');
  report('service 2', ready(2));
  t.same(take(), ['link s2', 'pid service 102', 'SIGTERM service 1']);
  report('service 1', { type: 'service_exited', generation: 1, reason: 'exit code 0' });

  report('service 2', { type: 'service_exited', generation: 2, reason: 'SIGKILL' });
  t.same(take(), []);
  t.same(
    timers.map((timer) => timer.ms),
    [100],
    'only the restart is waited for',
  );
  timers[0]?.ring();
  t.same(take(), ['spawn service 3']);
  report('service 3', ready(3));
  t.same(take(), ['link s3', 'pid service 103']);

  supervisor.dispatch({ type: 'stop' });
  t.same(take(), ['drain']);
  await Promise.resolve();
  await new Promise(setImmediate);
  t.same(take(), ['SIGTERM envoy']);
  report('envoy', { type: 'envoy_exited', reason: 'exit code 0' });
  t.same(take(), ['SIGTERM service 3']);
  report('service 3', { type: 'service_exited', generation: 3, reason: 'exit code 0' });
  t.equal(await supervisor.ended, 0);
  t.ok(timers.length <= 1, 'timers are cancelled');
});

t.test('a child that reports while it is being started', async (t) => {
  const { hands, done } = world();
  const supervisor = supervise({
    ...hands,
    spawnEnvoy: (report) => {
      report({ type: 'envoy_exited', reason: 'no such file' });
      return { pid: undefined, signal: () => undefined, drain: async () => undefined };
    },
  });
  t.same(done, ['spawn service 1', 'pid service 101', 'SIGTERM service 1']);
  supervisor.dispatch({ type: 'service_exited', generation: 1, reason: 'exit code 0' });
  t.equal(await supervisor.ended, 1);
});
