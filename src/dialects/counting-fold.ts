import { type AnswerFold, noteError, noteModel } from './answer-fold.js';
import type { JsonObject } from './json-value.js';
import type { ResponseFacts } from './response-reader.js';
import type { Usage } from './usage.js';

/** Whole answers that hold vectors or scores and at most say what they cost. */
export class CountingFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = false;
  readonly #usageOf: (body: JsonObject) => Usage | null;

  /** @param usageOf null where the answer states nothing */
  constructor(usageOf: (body: JsonObject) => Usage | null) {
    this.#usageOf = usageOf;
  }

  reads(): boolean {
    return true;
  }

  event(event: JsonObject, facts: ResponseFacts): null {
    this.body(event, facts);
    return null;
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    noteModel(body, facts);
    facts.usage = this.#usageOf(body) ?? facts.usage;
  }
}
