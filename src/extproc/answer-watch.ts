import type { Peek, Verdict } from '../gateway/peek.js';
import { NEXT_STATUS } from '../gateway/retry-reasons.js';
import type { ProcessCall } from './process-call.js';
import { GO_ON, toVerdict, UNCHANGED_CHUNK } from './replies.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/**
 * The response half of an attempt's stream: holds the headers back until a look at the first bytes says whether this
 * answer goes to the client or the router tries the next target. Then it leaves; the rest flows without us.
 */
export class AnswerWatch {
  readonly #call: ProcessCall;
  #peek: Peek | null = null;
  #held = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(call: ProcessCall) {
    this.#call = call;
  }

  /** @param peek null when nobody knows the attempt: then its answer goes on as it is */
  headers({ headers, last }: ProcessingRequest, peek: Peek | null): void {
    this.#peek = peek;
    const verdict = peek?.headers(headers, last) ?? { kind: 'release' };
    this.#follow(verdict);
    const deadline = verdict.kind === 'hold' ? (peek?.deadlineMs ?? null) : null;
    if (deadline === null) return;
    this.#timer = setTimeout(
      () => this.#call.later('first token deadline', () => this.#follow(this.#late())),
      deadline,
    );
  }

  body({ body, last }: ProcessingRequest): void {
    this.#held += 1;
    const verdict = this.#peek?.body(body, last);
    this.#follow(verdict ?? { kind: 'release' });
  }

  closed(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #late(): Verdict {
    return this.#peek?.late() ?? { kind: 'release' };
  }

  #follow(verdict: Verdict): void {
    if (verdict.kind === 'hold') return;
    this.#call.send(verdict.kind === 'next' ? toVerdict(NEXT_STATUS, verdict.clusters) : GO_ON);
    // Exactly one answer per message, also for those that were held.
    for (; this.#held > 0; this.#held -= 1) this.#call.send(UNCHANGED_CHUNK);
    this.#call.leave();
  }
}
