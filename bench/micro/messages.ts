import { toResponse, UNCHANGED_CHUNK } from '../../src/extproc/replies.js';
import { decodeRequest } from '../../src/extproc/wire/decode-request.js';
import { encodeFramed } from '../../src/extproc/wire/encode-response.js';
import type { Reply } from '../../src/gateway/reply.js';
import type { MicroCase } from './micro-case.js';
import { chatRequest, DELTA } from './run/answers.js';
import { requestBody, responseBody } from './run/envoy-messages.js';

const IDENTITY = {
  id: '0b4e2ad5-8c3e-4a8b-9f5c-000000000001',
  generation: '1-0123456789ab',
  requestBody: 'whole',
} as const;

/** What the first attempt is told: path, credential, headers that go, metadata of the decision. */
function firstAttempt(body: Buffer): Reply {
  return {
    kind: 'continue',
    set: [
      [':path', '/v1/chat/completions'],
      ['authorization', 'Bearer sk-provider'],
      ['content-type', 'application/json'],
      ['x-envoy-max-retries', '0'],
      ['x-envoy-upstream-rq-timeout-ms', '120000'],
    ],
    remove: ['x-api-key', 'api-key', 'x-goog-api-key', 'cookie', 'x-request-id', 'x-tollgate-metadata'],
    body,
    pass: {
      clusters: ['provider_p'],
      log: { key: 'bench', model: 'p/bench', endpoint: '/v1/chat/completions', stream: false },
      mayTranslate: false,
    },
    interest: null,
    requestBody: null,
  };
}

function decode(name: string, message: Buffer): MicroCase {
  return {
    name,
    run(times) {
      for (let at = 0; at < times; at += 1) if (decodeRequest(message) === null) throw new Error('nothing was read');
    },
  };
}

function encode(name: string, body: Buffer): MicroCase {
  const reply = firstAttempt(body);
  return {
    name,
    run(times) {
      for (let at = 0; at < times; at += 1) {
        const pieces: Buffer[] = [];
        encodeFramed(toResponse('request_body', reply, IDENTITY), pieces);
        if (pieces.length === 0) throw new Error('nothing was written');
      }
    },
  };
}

/** Envoy's messages read, and ours written, without the transport's part. */
export function cases(): readonly MicroCase[] {
  return [
    decode('messages: a chunk read', responseBody(DELTA, false)),
    decode('messages: a body of 200 KB read', requestBody(chatRequest(200_000))),
    {
      name: 'messages: an unchanged chunk written',
      run(times) {
        for (let at = 0; at < times; at += 1) encodeFramed(UNCHANGED_CHUNK, []);
      },
    },
    encode('messages: a decision written', chatRequest(150)),
    encode('messages: a decision with 200 KB written', chatRequest(200_000)),
  ];
}
