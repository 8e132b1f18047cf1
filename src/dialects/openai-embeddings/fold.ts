import { type AnswerFold, noteError, noteModel } from '../answer-fold.js';
import type { JsonObject } from '../json-value.js';
import { UsageKeeper } from '../openai-usage.js';
import type { ResponseFacts } from '../response-reader.js';

/** Answers that state usage at most and hold no text of the model: embeddings, moderations. */
export class EmbeddingsFold implements AnswerFold {
  readonly doneEnds = true;
  readonly text = false;
  readonly #usage = new UsageKeeper();

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
    this.#usage.take(body['usage'], facts);
  }
}
