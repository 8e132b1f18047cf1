import type { JsonObject } from '../../json-value.js';
import type { EventSink } from '../translation.js';
import { Output, type Reply } from './output.js';

const NOWHERE: EventSink = { event: () => {}, done: () => {} };

/** A whole chat answer as a Response. */
export function responseOf(body: JsonObject, reply: Reply): JsonObject {
  const output = new Output(reply, NOWHERE);
  output.body(body);
  if (output.finish !== 'error') return output.complete();
  return output.fail({
    message: 'The provider gave up in the middle of the answer.',
    code: 'provider_error',
    status: 502,
  });
}
