import type {
  Amounts,
  Counter,
  CounterState,
  CounterStore,
  HoldRequest,
  HoldResult,
  ReadResult,
  Seed,
  SettleResult,
} from '../counter-store.js';

/** Operations and their results between generations, as JSON: sums are text, maps are lists of pairs. */
export type Operation =
  | { readonly kind: 'hold'; readonly request: HoldRequest }
  | { readonly kind: 'settle'; readonly id: string; readonly actual: Amounts }
  | { readonly kind: 'read'; readonly counters: readonly Counter[] }
  | { readonly kind: 'seed'; readonly seed: Seed };

export type OperationResult = HoldResult | SettleResult | ReadResult | { readonly kind: 'seeded' };

export interface WireRequest {
  readonly n: number;
  readonly operation: object;
}

export interface WireReply {
  readonly n: number;
  readonly result: object;
}

/** Runs an operation on a store. */
export function perform(store: CounterStore, operation: Operation, done: (result: OperationResult) => void): void {
  if (operation.kind === 'hold') store.hold(operation.request, done);
  else if (operation.kind === 'settle') store.settle(operation.id, operation.actual, done);
  else if (operation.kind === 'read') store.read(operation.counters, done);
  else
    store.seed(operation.seed, (error) => done(error === null ? { kind: 'seeded' } : { kind: 'unavailable', error }));
}

export function encodeOperation(operation: Operation): object {
  if (operation.kind === 'hold') {
    const { request } = operation;
    return { kind: 'hold', request: { ...request, counters: request.counters.map(encodeCounter) } };
  }
  if (operation.kind === 'read') return { kind: 'read', counters: operation.counters.map(encodeCounter) };
  if (operation.kind === 'settle') return operation;
  const { source, used, holds } = operation.seed;
  return {
    kind: 'seed',
    source,
    used: Array.from(used, ([place, sum]) => [place, String(sum)]),
    holds: Array.from(holds, ([id, { places, ttlMs }]) => [id, [...places], ttlMs]),
  };
}

type WireCounter = Omit<Counter, 'max'> & { readonly max: string };
type WireOperation =
  | { readonly kind: 'hold'; readonly request: HoldRequest & { readonly counters: readonly WireCounter[] } }
  | { readonly kind: 'settle'; readonly id: string; readonly actual: Amounts }
  | { readonly kind: 'read'; readonly counters: readonly WireCounter[] }
  | {
      readonly kind: 'seed';
      readonly source: string;
      readonly used: readonly (readonly [string, string])[];
      readonly holds: readonly (readonly [id: string, places: readonly (readonly [string, number])[], ttlMs: number])[];
    };

/** Of `encodeOperation`, parsed; both ends are the same program, so shapes are not checked. */
export function decodeOperation(sent: object): Operation {
  const operation = sent as WireOperation;
  if (operation.kind === 'hold')
    return { kind: 'hold', request: { ...operation.request, counters: operation.request.counters.map(decodeCounter) } };
  if (operation.kind === 'read') return { kind: 'read', counters: operation.counters.map(decodeCounter) };
  if (operation.kind === 'settle') return operation;
  const { source, used, holds } = operation;
  return {
    kind: 'seed',
    seed: {
      source,
      used: new Map(used.map(([place, sum]) => [place, BigInt(sum)])),
      holds: new Map(holds.map(([id, places, ttlMs]) => [id, { places: new Map(places), ttlMs }])),
    },
  };
}

export function encodeResult(result: OperationResult): object {
  if (result.kind === 'unavailable') return { kind: result.kind, error: result.error.message };
  if (!('states' in result)) return result;
  return {
    ...result,
    states: result.states.map((one) => ({ ...one, used: String(one.used), held: String(one.held) })),
  };
}

type WireState = Omit<CounterState, 'used' | 'held'> & { readonly used: string; readonly held: string };

/** Of `encodeResult`, parsed. */
export function decodeResult(sent: object): OperationResult {
  const { error, states, ...rest } = sent as { kind: string; error?: string; states?: readonly WireState[] };
  const decoded = {
    ...rest,
    ...(error === undefined ? {} : { error: new Error(error) }),
    ...(states === undefined ? {} : { states: states.map(decodeState) }),
  };
  return decoded as OperationResult;
}

function decodeState(state: WireState): CounterState {
  return { ...state, used: BigInt(state.used), held: BigInt(state.held) };
}

function encodeCounter(counter: Counter): WireCounter {
  return { ...counter, max: String(counter.max) };
}

function decodeCounter(counter: Counter | WireCounter): Counter {
  return { ...counter, max: BigInt(counter.max) };
}
