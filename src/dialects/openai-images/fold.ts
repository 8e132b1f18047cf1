import { type AnswerFold, noteError, noteModel } from '../answer-fold.js';
import { type JsonObject, listIn, stringIn } from '../json-value.js';
import { UsageKeeper } from '../openai-usage.js';
import type { ResponseFacts } from '../response-reader.js';
import { emptyUsage } from '../usage.js';

/** Images: token usage where the model states it (gpt-image), else the number of images as billable units (dall-e). */
export class ImagesFold implements AnswerFold {
  readonly doneEnds = false;
  readonly text = false;
  readonly #usage = new UsageKeeper();

  reads(type: string): boolean {
    return !type.endsWith('.partial_image');
  }

  event(event: JsonObject, facts: ResponseFacts): null {
    noteError(event, facts);
    noteModel(event, facts);
    this.#usage.take(event['usage'], facts);
    if (stringIn(event, 'type')?.endsWith('.completed')) {
      facts.content = true;
      facts.terminal = true;
    }
    return null;
  }

  body(body: JsonObject, facts: ResponseFacts): void {
    noteError(body, facts);
    noteModel(body, facts);
    const images = listIn(body, 'data').length;
    if (images > 0) {
      facts.content = true;
      facts.usage = { ...emptyUsage(), images };
    }
    this.#usage.take(body['usage'], facts);
  }
}
