/** Where a sampled function belongs. */
interface Frame {
  readonly functionName: string;
  readonly url: string;
}

const META: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(idle)', 'idle'],
  ['(program)', 'native code and system calls without JavaScript'],
]);

/** Parts of a URL → room; the first that fits. */
const ROOMS: readonly (readonly [string, string])[] = [
  ['/node_modules/@grpc/', 'grpc-js'],
  ['/node_modules/prom-client/', 'metrics'],
  ['/node_modules/', 'other packages'],
  ['/src/extproc/transport/', 'transport'],
  ['/src/extproc/wire/', 'messages (wire)'],
  ['/src/extproc/', 'ext_proc streams'],
  ['/src/accounting/ledger/', 'ledger'],
  ['/src/accounting/records/', 'records'],
  ['/src/accounting/reconcile/', 'second meter'],
  ['/src/accounting/follow-file', 'second meter'],
  ['/src/observability/', 'metrics'],
  ['node:internal/http2', 'node:http2'],
  ['node:http2', 'node:http2'],
  ['node:internal/stream', 'node streams, net, events'],
  ['node:events', 'node streams, net, events'],
  ['node:net', 'node streams, net, events'],
  ['node:internal/timers', 'timers, ticks, promises'],
  ['node:internal/process', 'timers, ticks, promises'],
  ['node:internal/async_hooks', 'timers, ticks, promises'],
];

/** The room of a function; one without a source of its own (native, built in) works for its caller. */
export function roomOf(frame: Frame, callers: () => Iterable<Frame>): string {
  const meta = META.get(frame.functionName);
  if (meta !== undefined) return meta;
  if (isPlace(frame)) return roomOfUrl(frame.url);
  for (const caller of callers()) if (isPlace(caller)) return roomOfUrl(caller.url);
  return 'other';
}

/** Buffers, files and hashes of Node itself are work of whoever calls them. */
function isPlace({ url }: Frame): boolean {
  return url !== '' && (!url.startsWith('node:') || ROOMS.some(([part]) => url.startsWith(part)));
}

function roomOfUrl(url: string): string {
  const known = ROOMS.find(([part]) => url.includes(part));
  if (known) return known[1];
  return /\/src\/([a-z]+)\//.exec(url)?.[1] ?? 'other';
}
