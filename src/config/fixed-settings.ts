import { freeze } from './freeze.js';
import type { Mistake, Path } from './problem.js';
import type { Snapshot } from './snapshot.js';
import { withVersion } from './version.js';

/** A setting that is built into running sockets, files or Envoy's static bootstrap. */
interface FixedSetting {
  readonly path: Path;
  readonly read: (snapshot: Snapshot) => unknown;
}

const FIXED: readonly FixedSetting[] = [
  { path: ['gateway', 'listen'], read: ({ gateway }) => gateway.listen },
  { path: ['gateway', 'body_limit'], read: ({ gateway }) => gateway.bodyLimit },
  { path: ['gateway', 'tls'], read: ({ gateway }) => gateway.tls },
  { path: ['admin', 'listen'], read: ({ admin }) => admin.listen },
  { path: ['admin', 'pepper'], read: ({ admin }) => admin.pepper?.reveal() },
  { path: ['envoy', 'admin'], read: ({ envoy }) => envoy.admin },
  { path: ['envoy', 'binary'], read: ({ envoy }) => envoy.binary },
  { path: ['envoy', 'concurrency'], read: ({ envoy }) => envoy.concurrency },
  { path: ['ledger', 'directory'], read: ({ ledger }) => ledger.directory },
  { path: ['ledger', 'sync'], read: ({ ledger }) => ledger.syncMs },
  { path: ['store'], read: ({ store }) => (store.kind === 'redis' ? { ...store, url: store.url.reveal() } : store) },
  { path: ['records'], read: ({ records }) => ({ ...records, url: records.url?.reveal() }) },
  { path: ['runtime_directory'], read: ({ runtimeDirectory }) => runtimeDirectory },
];

/** Which settings of `next` cannot take effect in a process that runs with `current`. */
export function restartNeeded(current: Snapshot, next: Snapshot): readonly Mistake[] {
  const changed = FIXED.filter(({ read }) => JSON.stringify(read(current)) !== JSON.stringify(read(next)));
  return changed.map(({ path }) => ({ path, at: 'value', message: 'needs a restart; the old value stays in use' }));
}

/** `next` with the values of `current` wherever only a restart could change them. */
export function keepFixed(current: Snapshot, next: Snapshot): Snapshot {
  const { gateway, admin, envoy, ledger, records, store, runtimeDirectory, dataDirectory } = current;
  return freeze(
    withVersion({
      ...next,
      gateway: { ...next.gateway, listen: gateway.listen, bodyLimit: gateway.bodyLimit, tls: gateway.tls },
      admin: { ...next.admin, listen: admin.listen, pepper: admin.pepper ?? null },
      envoy,
      ledger,
      records,
      store,
      runtimeDirectory,
      dataDirectory,
    }),
  );
}
