import { isObject, type JsonObject, listIn, stringIn } from '../../json-value.js';

/** A list is never longer than this, whatever a path says. */
const MAX_INDEX = 10_000;
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/g;
const VALUES = ['stringValue', 'numberValue', 'boolValue', 'nullValue'];

type Container = Record<string, unknown> | unknown[];

/**
 * A call whose arguments come in pieces: `{"partialArgs": [{"jsonPath": "$.steps[0]", "stringValue": "Pre", "willContinue": true}]}`.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
 */
export class PartialCall {
  readonly name: string;
  readonly signature: string | null;
  readonly #args: Record<string, unknown> = Object.create(null);

  constructor(name: string, signature: string | null) {
    this.name = name;
    this.signature = signature;
  }

  add(call: JsonObject): void {
    if (isObject(call['args'])) Object.assign(this.#args, call['args']);
    for (const piece of listIn(call, 'partialArgs')) if (isObject(piece)) this.#piece(piece);
  }

  /** JSON text of what has come. */
  get arguments(): string {
    return JSON.stringify(this.#args);
  }

  #piece(piece: JsonObject) {
    const steps = stepsOf(stringIn(piece, 'jsonPath') ?? '');
    const key = VALUES.find((each) => each in piece);
    const last = steps.pop();
    if (last === undefined || key === undefined) return;
    const into = this.#reach(steps, last);
    if (into === null) return;
    const value = key === 'nullValue' ? null : piece[key];
    const before = get(into, last);
    // Text goes on where it was.
    put(into, last, typeof before === 'string' && typeof value === 'string' ? before + value : value);
  }

  /** The container that holds the last step; null where the path makes no sense. */
  #reach(steps: readonly Step[], last: Step): Container | null {
    let at: Container = this.#args;
    for (const [index, step] of steps.entries()) {
      const next = steps[index + 1] ?? last;
      let inner = get(at, step);
      if (typeof inner !== 'object' || inner === null) {
        inner = typeof next === 'number' ? [] : Object.create(null);
        if (!put(at, step, inner)) return null;
      }
      at = inner as Container;
    }
    return at;
  }
}

type Step = string | number;

function stepsOf(path: string): Step[] {
  return [...path.matchAll(STEP)].map(([, name, index, single, double]) =>
    index === undefined ? (name ?? single ?? double ?? '') : Number(index),
  );
}

function get(from: Container, step: Step): unknown {
  if (Array.isArray(from)) return typeof step === 'number' ? from[step] : undefined;
  return Object.hasOwn(from, step) ? from[step] : undefined;
}

function put(into: Container, step: Step, value: unknown): boolean {
  if (!Array.isArray(into))
    Object.defineProperty(into, step, { value, enumerable: true, writable: true, configurable: true });
  else if (typeof step !== 'number' || step > Math.min(into.length, MAX_INDEX)) return false;
  else into[step] = value;
  return true;
}
