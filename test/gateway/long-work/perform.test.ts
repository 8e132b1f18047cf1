import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { requestOf } from '../../../bench/conversations.js';
import { endpointOfWire } from '../../../src/dialects/endpoints.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { scanRequest } from '../../../src/dialects/request.js';
import type { RequestFacts } from '../../../src/dialects/request-facts.js';
import { allTranslations } from '../../../src/dialects/translate/registry.js';
import type { WriteInput } from '../../../src/gateway/long-work/long-work.js';
import { asBuffer, ownBytes } from '../../../src/gateway/long-work/perform.js';
import { type BodyWork, type WrittenBody, writeBody } from '../../../src/gateway/write-body.js';
import { contextFor } from '../../dialects/translate/unary-goldens.js';
import { LOOP_WORK } from './loop-work.js';

// What a thread does is what the event loop does with short bodies: the same bytes, whatever the pair and the envelope.

const pairs = allTranslations().filter(
  ({ from, to }) => ['openai-chat', 'anthropic-messages', 'openai-responses'].includes(from) && to !== from,
);

const pair$ = fc.constantFrom(null, ...pairs);
const kind$ = fc.constantFrom('turns', 'long-turns', 'image');

function workOf(facts: RequestFacts, wire: BodyWork['wire'], envelope: BodyWork['envelope']): BodyWork {
  const splice = { model: 'the-model', includeUsage: true, outputCap: null };
  return { facts, wire, splice, envelope, direct: false, usageOnRequest: true, strict: false };
}

t.test('the bytes are the same on the loop and elsewhere', async (t) => {
  fc.assert(
    fc.property(pair$, kind$, fc.integer({ min: 200, max: 40_000 }), fc.boolean(), (pair, kind, bytes, enclosed) => {
      const from = pair?.from ?? 'openai-chat';
      const body = requestOf(from, bytes, kind);
      const endpoint = endpointOfWire(from);
      const facts = scanRequest(endpoint, body, 'application/json');
      if (facts instanceof GatewayError) throw facts;
      const work = workOf(facts, pair?.to ?? from, enclosed ? { set: { added: true }, remove: ['model'] } : null);
      const { losses: _, ...context } = contextFor('claude-sonnet-4-5');
      const input: WriteInput = {
        body: ownBytes(Buffer.from(body)),
        work,
        translation: pair && { from: pair.from, to: pair.to, context },
        kind: 'openai-compatible',
        refusesStored: true,
        signs: true,
      };
      const here = written(body, work, input, pair);
      const bytesHere = Buffer.isBuffer(here.body) ? here.body : Buffer.concat(here.body);
      LOOP_WORK.run('write', input, (output) => {
        if (output instanceof GatewayError || output.result.kind === 'refused') throw new Error('it is refused');
        const there = output.result;
        const bytesThere = there.body === null ? asBuffer(output.body) : asBuffer(there.body);
        t.ok(asBuffer(output.body).equals(body), 'the body comes back');
        t.ok(bytesThere.equals(bytesHere));
        t.equal(there.digest, createHash('sha256').update(bytesHere).digest('hex'));
        t.same(there.warnings, here.warnings);
        t.same(there.memory ?? null, here.call?.memory ?? null);
        t.equal(there.passedOn, here.call === null);
        t.equal(there.stored, null);
      });
    }),
    { numRuns: 60 },
  );
});

function written(body: Buffer, work: BodyWork, input: WriteInput, pair: (typeof pairs)[number] | null): WrittenBody {
  return writeBody(body, work, {
    translation: pair,
    mends: [],
    parsed: () => JSON.parse(body.toString()),
    context: (losses) => ({ ...contextFor('claude-sonnet-4-5'), ...input.translation?.context, losses }),
  });
}

t.test('bytes among others are copied before they are given away', async (t) => {
  const slab = Buffer.alloc(4096, 1);
  const part = slab.subarray(100, 200);
  t.not(ownBytes(part).buffer, slab.buffer);
  t.ok(asBuffer(ownBytes(part)).equals(part));
  const own = Buffer.allocUnsafeSlow(2048);
  t.equal(ownBytes(own).buffer, own.buffer);
});
