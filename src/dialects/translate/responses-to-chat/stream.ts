import type { JsonObject } from '../../json-value.js';
import type { EventSink, StreamError, StreamTranslator } from '../translation.js';
import { Output, type Reply } from './output.js';

/** A stream of chat chunks as events of a Response. */
export class ResponsesStream implements StreamTranslator {
  readonly #reply: Reply;
  #output: Output | null = null;
  #isOver = false;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  event(_type: string, data: JsonObject, out: EventSink): void {
    if (!this.#isOver) this.#begun(out, data).event(data);
  }

  done(out: EventSink): void {
    if (this.#isOver) return;
    const output = this.#begun(out, {});
    // Cut off by the provider itself: the end will tell.
    if (output.finish !== 'error') this.#complete(output);
  }

  end(out: EventSink): boolean {
    if (this.#isOver) return true;
    // Usage may follow the finish, so without `[DONE]` only the end of the bytes says that all has come.
    if (this.#output?.isFinished !== true) return false;
    this.#complete(this.#begun(out, {}));
    return true;
  }

  fail(error: StreamError, out: EventSink): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#begun(out, {}).fail(error);
  }

  #complete(output: Output): void {
    this.#isOver = true;
    output.complete();
  }

  #begun(out: EventSink, first: JsonObject): Output {
    if (this.#output === null) {
      this.#output = new Output(this.#reply, out);
      this.#output.begin(first);
    }
    this.#output.out = out;
    return this.#output;
  }
}
