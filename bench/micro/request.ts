import { endpointOfWire } from '../../src/dialects/endpoints.js';
import { GatewayError } from '../../src/dialects/error.js';
import { scanRequest } from '../../src/dialects/request.js';
import { spliceRequest } from '../../src/dialects/splice.js';
import type { MicroCase } from './micro-case.js';
import { chatRequest } from './run/answers.js';

/** A request's body: looked through once, and given another model's name. */
function scanAndSplice(name: string, body: Buffer): MicroCase {
  const endpoint = endpointOfWire('openai-chat');
  return {
    name,
    run(times) {
      for (let at = 0; at < times; at += 1) {
        const facts = scanRequest(endpoint, body, 'application/json');
        if (facts instanceof GatewayError) throw facts;
        const written: unknown = spliceRequest(body, facts, { model: 'bench', includeUsage: true });
        if (written === body) throw new Error('nothing was changed');
      }
    },
  };
}

export function cases(): readonly MicroCase[] {
  return [
    scanAndSplice('request: scan and splice, small', chatRequest(150)),
    scanAndSplice('request: scan and splice, 200 KB', chatRequest(200_000)),
    scanAndSplice('request: scan and splice, stream', chatRequest(150, { stream: true })),
  ];
}
