import type { JsonObject } from '../json-value.js';
import type {
  EventSink,
  HeaderReader,
  PreparedCall,
  StreamTranslator,
  Translation,
  TranslationContext,
} from './translation.js';

/** Client → hub → provider. The front is told that its result is read by the back. */
export function compose(front: Translation, back: Translation): Translation {
  return {
    from: front.from,
    to: back.to,
    prepare(request, context) {
      const first = front.prepare(request, derived(context, { extended: true }));
      // The front always needs the usage chunk: its own dialect has usage in every answer.
      const second = back.prepare(first.body, derived(context, { includeUsage: true }));
      return new ComposedCall(first, second);
    },
  };
}

/** A copy would read every member, also those that are counted only when they are asked for. */
function derived(context: TranslationContext, changes: Partial<TranslationContext>): TranslationContext {
  return Object.assign(Object.create(context) as TranslationContext, changes);
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

  answer(body: JsonObject, header?: HeaderReader): JsonObject {
    return this.#front.answer(this.#back.answer(body, header), header);
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
