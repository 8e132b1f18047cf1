import { waitForListener } from '../../envoy/envoy-admin.js';
import { type EnvoyStart, startEnvoy } from '../../envoy/run-envoy.js';
import type { SupervisorEvent } from './events.js';
import type { EnvoyChild } from './supervise.js';

const LISTENER_MS = 30_000;

/** Starts Envoy and translates its life into events. `drainMs` bounds the wait for running requests at the end. */
export function startEnvoyProcess(
  start: Omit<EnvoyStart, 'onExit'>,
  drainMs: number,
  report: (event: SupervisorEvent) => void,
): EnvoyChild {
  const envoy = attempt(() =>
    startEnvoy({
      ...start,
      onExit: ({ code, signal }) => report({ type: 'envoy_exited', reason: signal ?? `exit code ${code}` }),
    }),
  );
  if (envoy instanceof Error) {
    report({ type: 'envoy_exited', reason: envoy.message });
    return { pid: undefined, signal: () => undefined, drain: () => Promise.resolve() };
  }
  const kill = () => {
    try {
      process.kill(envoy.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  };
  envoy
    .admin()
    .then((admin) => waitForListener(admin, LISTENER_MS))
    .then(
      () => report({ type: 'envoy_ready' }),
      // Hanging, or ended already: then the signal finds nobody.
      kill,
    );
  return {
    pid: envoy.pid,
    signal: (name) => (name === 'SIGKILL' ? kill() : void envoy.stop(0)),
    drain: () => envoy.stop(drainMs),
  };
}

function attempt<T>(action: () => T): T | Error {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
