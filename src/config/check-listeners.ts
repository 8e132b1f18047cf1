import { clash, isLoopback, parseAddress } from './address.js';
import type { Mistake } from './problem.js';
import { fieldOf, has, textOf } from './raw-view.js';
import type { Address } from './snapshot.js';

type Setting = readonly [string, string];

/** Each listener with the address that it has when nothing is said. */
const LISTENERS = [
  { path: ['gateway', 'listen'], fallback: '0.0.0.0:8080' },
  { path: ['admin', 'listen'], fallback: '127.0.0.1:8090' },
  { path: ['envoy', 'admin'], fallback: '127.0.0.1:9901' },
] as const;

export function listenerMistakes(raw: unknown): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const open: { readonly path: Setting; readonly address: Address }[] = [];
  for (const { path, fallback } of LISTENERS) {
    const address = addressAt(raw, path, fallback);
    const taken = address === null ? undefined : open.find((other) => clash(other.address, address));
    if (taken !== undefined) mistakes.push(samePort(raw, path, taken.path));
    if (address !== null) open.push({ path, address });
  }
  return [...mistakes, ...tokenMistakes(raw), ...workerMistakes(raw)];
}

/** Points to the one that is written down: the other may be a default. */
function samePort(raw: unknown, path: Setting, taken: Setting): Mistake {
  const [here, other] = has(fieldOf(raw, path[0]), path[1]) ? [path, taken] : [taken, path];
  return { path: here, at: 'value', message: `has the same port as ${other.join('.')}` };
}

function addressAt(raw: unknown, path: Setting, fallback: string): Address | null {
  const group = fieldOf(raw, path[0]);
  return parseAddress(has(group, path[1]) ? (textOf(group, path[1]) ?? '') : fallback);
}

function tokenMistakes(raw: unknown): readonly Mistake[] {
  const address = addressAt(raw, ['admin', 'listen'], '127.0.0.1:8090');
  const admin = fieldOf(raw, 'admin');
  const token = fieldOf(admin, 'token');
  if (address === null || isLoopback(address) || (has(admin, 'token') && token !== '')) return [];
  return [
    {
      path: ['admin', 'listen'],
      at: 'value',
      message: 'needs admin.token, because others than this machine can reach it',
    },
  ];
}

function workerMistakes(raw: unknown): readonly Mistake[] {
  const workers = Number(fieldOf(fieldOf(raw, 'gateway'), 'workers') ?? 1);
  if (!(workers > 1)) return [];
  if (textOf(fieldOf(raw, 'store'), 'kind') === 'redis') return [];
  return [
    {
      path: ['gateway', 'workers'],
      at: 'value',
      message:
        'more than 1 needs a shared store, or every worker would allow the whole of each limit: add store: { kind: redis, url: redis://… }, or leave 1',
    },
  ];
}
