import type { JsonObject } from '../json-value.js';
import { errorEvent } from '../stream-error.js';
import type { StreamTranslator } from './translation.js';

/** What AWS adds to the last event. */
const INVOCATION = 'amazon-bedrock-invocationMetrics';

/**
 * Anthropic's events out of another framing (Claude inside AWS' frames): they go on as they are.
 * @param isTerminal whether `message_stop` was seen
 */
export function unframe(isTerminal: () => boolean): StreamTranslator {
  return {
    event(type, data, out) {
      const name = typeof data['type'] === 'string' ? data['type'] : type;
      out.event(name, withoutMetrics(data));
    },
    done() {},
    end: () => isTerminal(),
    fail(error, out) {
      const { type, data } = errorEvent('anthropic-messages', error);
      out.event(type, data);
    },
  };
}

function withoutMetrics(data: JsonObject): JsonObject {
  if (!Object.hasOwn(data, INVOCATION)) return data;
  const { [INVOCATION]: _metrics, ...rest } = data;
  return rest;
}
