import type { AnswerTranslation, EventSink, StreamTranslator, Translation, TranslationContext } from './translation.js';

/** Client → hub → provider. The front is told that its result is read by the back. */
export function compose(front: Translation, back: Translation): Translation {
  return {
    from: front.from,
    to: back.to,
    prepare(request, context) {
      const first = front.prepare(request, forFront(context));
      const second = back.prepare(first.body, forBack(context));
      const memory: ComposedMemory = { front: first.memory, back: second.memory };
      return { body: second.body, memory, ...composeAnswers(first, second) };
    },
    recall(memory, context) {
      const both = memory as ComposedMemory;
      return composeAnswers(front.recall(both.front, forFront(context)), back.recall(both.back, forBack(context)));
    },
  };
}

interface ComposedMemory {
  readonly front: unknown;
  readonly back: unknown;
}

function forFront(context: TranslationContext): TranslationContext {
  return derived(context, { extended: true });
}

/** The front always needs the usage chunk: its own dialect has usage in every answer. */
function forBack(context: TranslationContext): TranslationContext {
  return derived(context, { includeUsage: true });
}

/** A copy would read every member, also those that are counted only when they are asked for. */
function derived(context: TranslationContext, changes: Partial<TranslationContext>): TranslationContext {
  return Object.assign(Object.create(context) as TranslationContext, changes);
}

function composeAnswers(front: AnswerTranslation, back: AnswerTranslation): AnswerTranslation {
  return {
    answer: (body, header) => front.answer(back.answer(body, header), header),
    stream: () => composeStreams(front.stream(), back.stream()),
  };
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
