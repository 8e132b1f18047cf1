import type { Waiting } from '../deadlines.js';
import type { Reply } from './counter-codec.js';
import type { ScriptArgument } from './redis-link.js';
import type { Script } from './scripts/script.js';

export interface CallPlan {
  readonly script: Script;
  /** Made anew for each try: windows and the epoch may have changed. */
  readonly arguments: () => { readonly keys: readonly string[]; readonly args: readonly ScriptArgument[] };
  readonly answer: (reply: Reply) => void;
  readonly fail: (error: Error, call: Call) => void;
  /** An answer that came after `fail`. */
  readonly late?: (reply: Reply, call: Call) => void;
  /** It was sent and nobody knows what became of it. */
  readonly unknown?: (call: Call) => void;
}

/** One operation until it is answered: exactly one of `answer` and `fail` is called. */
export class Call implements Waiting {
  readonly plan: CallPlan;
  tries = 0;
  #over = false;

  constructor(plan: CallPlan) {
    this.plan = plan;
  }

  get isOver(): boolean {
    return this.#over;
  }

  answer(reply: Reply): void {
    if (this.#over) this.plan.late?.(reply, this);
    else {
      this.#over = true;
      this.plan.answer(reply);
    }
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.plan.fail(error, this);
  }

  expire(): void {
    this.fail(new Error('no answer in time'));
  }
}
