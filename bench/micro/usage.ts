import { createResponseReader } from '../../src/dialects/readers.js';
import { createUsageChunkEditor } from '../../src/dialects/usage-chunk-editor.js';
import type { MicroCase } from './micro-case.js';
import { DELTA, LAST, REPLY } from './run/answers.js';

const EVENTS = 100;

/** A stream of 100 events that is metered, and whose usage chunk is taken out if `edited`; each event counts once. */
function stream(name: string, edited: boolean): MicroCase {
  return {
    name,
    run(times) {
      for (let left = times; left > 0; left -= EVENTS) {
        const reader = createResponseReader('openai-chat', { stream: true, contentType: 'text/event-stream' });
        const editor = edited ? createUsageChunkEditor('openai-chat') : null;
        for (let at = 0; at < EVENTS; at += 1) {
          const text = reader.push(DELTA);
          editor?.push(DELTA, false, text);
        }
        const text = reader.push(LAST);
        editor?.push(LAST, true, text);
        reader.end();
        if (reader.facts.usage?.output !== 100) throw new Error('the usage was not read');
      }
    },
  };
}

function whole(): MicroCase {
  return {
    name: 'usage: of a JSON answer',
    run(times) {
      for (let at = 0; at < times; at += 1) {
        const reader = createResponseReader('openai-chat', { stream: false, contentType: 'application/json' });
        reader.push(REPLY);
        reader.end();
        if (reader.facts.usage?.output !== 90) throw new Error('the usage was not read');
      }
    },
  };
}

export function cases(): readonly MicroCase[] {
  return [
    stream('usage: for each event of a stream', false),
    stream('usage: for each event, its chunk taken out', true),
    whole(),
  ];
}
