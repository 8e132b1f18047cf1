import type { JsonObject } from '../json-value.js';
import type { EventSink, PreparedCall, StreamTranslator, Translation } from './translation.js';

/** Client → hub → provider. The front is told that its result is read by the back. */
export function compose(front: Translation, back: Translation): Translation {
  return {
    from: front.from,
    to: back.to,
    prepare(request, context) {
      const first = front.prepare(request, { ...context, extended: true });
      // The front always needs the usage chunk: its own dialect has usage in every answer.
      const second = back.prepare(first.body, { ...context, includeUsage: true });
      return new ComposedCall(first, second);
    },
  };
}

class ComposedCall implements PreparedCall {
  readonly body: JsonObject;
  readonly #front: PreparedCall;
  readonly #back: PreparedCall;

  constructor(front: PreparedCall, back: PreparedCall) {
    this.body = back.body;
    this.#front = front;
    this.#back = back;
  }

  answer(body: JsonObject): JsonObject {
    return this.#front.answer(this.#back.answer(body));
  }

  stream(): StreamTranslator {
    return composeStreams(this.#front.stream(), this.#back.stream());
  }
}

function composeStreams(front: StreamTranslator, back: StreamTranslator): StreamTranslator {
  const into = (out: EventSink): EventSink => ({
    event: (type, data) => front.event(type, data, out),
    done: () => front.done(out),
  });
  return {
    event: (type, data, out) => back.event(type, data, into(out)),
    done: (out) => back.done(into(out)),
    end(out) {
      const whole = back.end(into(out));
      return whole && front.end(out);
    },
    fail: (error, out) => front.fail(error, out),
  };
}
