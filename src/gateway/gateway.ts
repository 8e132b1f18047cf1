import type { ErrorShape } from '../dialects/endpoint.js';
import { errorShapeForPath, matchEndpoint, modelIdFromPath } from '../dialects/endpoints.js';
import type { GatewayError } from '../dialects/error.js';
import { NO_OWN_KEYS } from '../providers/credentials/own-key.js';
import { Deadlines } from './deadlines.js';
import { Exchange } from './exchange.js';
import { type HeaderView, NO_HEADERS } from './headers.js';
import type { Parts } from './parts.js';
import { refuse } from './refuse.js';
import type { Refuse } from './reply.js';
import { Stalls } from './stalls.js';
import type { RequestState } from './state.js';

/** How long a response chunk may stay undecided. Below Envoy's message timeout of five seconds. */
const UNDECIDED_MS = 3500;
/** Of every request at first. */
const NOTHING: readonly never[] = [];

/** The door: one Exchange per HTTP request. */
export class Gateway {
  readonly deadlines: Deadlines;
  readonly stalls: Stalls;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.stalls = new Stalls(parts.clock.monotonic);
    this.deadlines = new Deadlines(UNDECIDED_MS, parts.clock.monotonic);
  }

  get generation(): string {
    return this.#parts.generation;
  }

  /** A request whose headers have arrived. Its id is Envoy's `x-request-id`, never the client's. */
  open(headers: HeaderView): Exchange {
    return new Exchange(this.#parts, this.#stateFor(headers));
  }

  /** A reply of Envoy's own to a request that never reached us. */
  openLocalReply(): Exchange {
    return new Exchange(this.#parts, this.#stateFor(NO_HEADERS));
  }

  /** An answer outside any exchange. */
  refusal(error: GatewayError, id: string): Refuse {
    return refuse(error, 'openai', id);
  }

  #stateFor(headers: HeaderView): RequestState {
    const path = headers.get(':path') ?? '/';
    const endpoint = matchEndpoint(headers.get(':method') ?? 'GET', path);
    // Nearly always: the path says all by itself.
    const isPlain = endpoint !== null && endpoint.path === path && endpoint.body !== 'none';
    return {
      id: headers.get('x-request-id') ?? '',
      rules: this.#parts.rules(),
      headers,
      arrivedAt: this.#parts.clock.now(),
      startedAt: this.#parts.clock.monotonic(),
      endedAt: 0,
      errors: isPlain ? endpoint.errors : errorShapeFor(headers, path),
      endpoint,
      modelId: isPlain ? null : modelIdFromPath(path),
      key: null,
      ownKeys: NO_OWN_KEYS,
      user: '',
      labels: {},
      metadata: {},
      asked: '',
      admitted: null,
      parsed: null,
      held: null,
      countedInput: null,
      inputEstimate: null,
      hold: 'none',
      gone: false,
      passed: false,
      finished: false,
      kept: null,
      keptBytes: 0,
      attempts: NOTHING,
      attemptTimes: NOTHING,
      failures: NOTHING,
      verdict: null,
      open: null,
      status: 0,
      code: null,
      served: null,
      requestBody: 'whole',
      mayTranslate: false,
      translates: false,
      servedSince: 0,
      response: null,
      complete: false,
      lost: false,
      firstTokenAt: null,
    };
  }
}

/** The list of models is one path for two dialects, told apart by a header. */
function errorShapeFor(headers: HeaderView, path: string): ErrorShape {
  const shape = errorShapeForPath(path);
  const isList = shape === 'openai' && /^\/v1\/models(?:[/?]|$)/.test(path);
  return isList && headers.get('anthropic-version') !== undefined ? 'anthropic' : shape;
}
