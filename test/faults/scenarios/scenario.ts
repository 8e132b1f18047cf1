import type { Capture } from '../../../src/mock/capture.js';
import type { RequestRecord } from '../../e2e/harness.js';
import type { Script } from '../../e2e/scripted.js';
import type { Form, Protocol, Seen } from './ask.js';

/** What one target of a scenario does with a request. `refused`, `unknown-name` and `wrong-certificate` never see one. */
export type Fault = ((asked: Asked) => Script) | 'refused' | 'unknown-name' | 'wrong-certificate';

/** A request as a fault sees it. */
export interface Asked {
  readonly capture: Capture;
  readonly form: Form;
  /** How often this target has received this very request, this time included. */
  readonly times: number;
  /** What the target says when it is well; its text names the target. */
  readonly well: Script & { readonly chunks: readonly string[] };
}

export interface ScenarioTarget {
  readonly fault: Fault;
  readonly contextWindow?: number;
}

/** An error that the client reads before any content. */
export interface ShownError {
  readonly status: number;
  /** The gateway's own `code`; the record has it too. */
  readonly code: string;
  /** `code` in the body where it is the provider's own. */
  readonly shownCode?: string;
  readonly retryAfter?: string;
}

/**
 * `answer`: one whole answer of the last attempt's target. `without-done`: the same, but its last line never came.
 * `cut`: content, then a reset. `error-event`: content, then an error as an event, and a clean end without `[DONE]`.
 */
export type Outcome = 'answer' | 'without-done' | 'cut' | 'error-event';

export interface Expected {
  readonly client: Outcome | ShownError;
  /** One entry per attempt: number of the target from 1, and the reason in the record (null = success). */
  readonly attempts: readonly (readonly [target: number, reason: string | null])[];
  /** The code in the record when the client saw no plain error. */
  readonly code?: string;
  /** Statuses that are as honest when many requests at once have put the first target aside. */
  readonly alsoAtOnce?: readonly number[];
}

export interface Scenario {
  readonly name: string;
  readonly targets: readonly ScenarioTarget[];
  /** Added to the model's `retry`. */
  readonly retry?: Readonly<Record<string, unknown>>;
  /** Short `first_token` and `response`, because the scenario waits for them. */
  readonly isLate?: boolean;
  /** Its holds are let go when every client has content. */
  readonly breaksLater?: boolean;
  /** Default: both. */
  readonly forms?: readonly Form[];
  readonly expected: Expected;
}

/** One cell of the matrix. */
export interface Case {
  readonly scenario: Scenario;
  readonly form: Form;
  readonly protocol: Protocol;
  /** Requests at once. */
  readonly parallel: number;
}

/** Unique within a gateway; also a valid provider name. */
export function caseName({ scenario, form, protocol, parallel }: Case): string {
  return `${scenario.name}.${form}.${protocol === 'http/2' ? 'h2' : 'h1'}.${parallel}`;
}

/** A request's end, as client and record tell it. */
export interface Finished {
  readonly case: Case;
  readonly seen: Seen;
  readonly record: RequestRecord;
}
