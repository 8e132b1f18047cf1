import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildService } from '../../src/app/service.js';
import { readSettings } from '../../src/cli/settings.js';
import { InFlight } from '../../src/extproc/in-flight.js';
import type { ProcessCall } from '../../src/extproc/process-call.js';
import { RequestStream } from '../../src/extproc/request-stream.js';
import { decodeRequest } from '../../src/extproc/wire/decode-request.js';
import { encodeFramed } from '../../src/extproc/wire/encode-response.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { MicroCase } from './micro-case.js';
import { chatRequest, DELTA, LAST, REPLY } from './run/answers.js';
import { requestBody, requestHeaders, responseBody, responseHeaders } from './run/envoy-messages.js';

/*
 * The whole service but for its transport: Envoy's messages in, ours out, with keys, limits, ledger, records and metrics
 * as in production. 32 requests are under way at once, as in the saturated end-to-end bench.
 */

const AT_ONCE = 32;
/** Most of the code is the same for all cases. */
const WARM_UP = 5000;
const KEY = 'sk-bench-0123456789abcdefghijklmnop';
const LIMITS = [
  {
    name: 'rate',
    per: ['key.id'],
    requests: { max: 1e9, window: '1m' },
    tokens: { max: 1e12, window: '1m' },
    concurrent: 100_000,
  },
  { name: 'budget', when: 'key.labels.team == "bench"', cost: { max: 1_000_000, window: 'month' } },
];
const ANSWERED = [
  [':status', '200'],
  ['date', 'Sun, 22 Nov 2026 12:00:00 GMT'],
  ['x-envoy-upstream-service-time', '1'],
] as const;
const JSON_ANSWER = [
  responseHeaders([...ANSWERED, ['content-type', 'application/json'], ['content-length', String(REPLY.length)]]),
  responseBody(REPLY, true),
];
const STREAM_ANSWER = [
  responseHeaders([...ANSWERED, ['content-type', 'text/event-stream']]),
  ...Array.from({ length: 30 }, () => responseBody(DELTA, false)),
  responseBody(LAST, true),
];

const ID = '0b4e2ad5-8c3e-4a8b-9f5c-';
const ID_DIGITS = 12;

/** Made once; each request gets a copy with its own id. */
function headersFor(key: string, length: number): Buffer {
  return requestHeaders([
    [':authority', '127.0.0.1:8080'],
    [':path', '/v1/chat/completions'],
    [':method', 'POST'],
    [':scheme', 'http'],
    ['authorization', `Bearer ${key}`],
    ['content-type', 'application/json'],
    ['accept', '*/*'],
    ['user-agent', 'bench/1.0'],
    ['content-length', String(length)],
    ['x-forwarded-proto', 'http'],
    ['x-request-id', ID + '0'.repeat(ID_DIGITS)],
  ]);
}

/** Smaller messages may be used again. */
const FREED_FROM = 32 * 1024;

let requests = 0;

function withOwnId(template: Buffer): Buffer {
  requests += 1;
  const headers = Buffer.from(template);
  headers.write(String(requests).padStart(ID_DIGITS, '0'), headers.indexOf(ID) + ID.length, 'latin1');
  return headers;
}

async function serviceWith(sections: object): Promise<Gateway> {
  const directory = mkdtempSync(join(tmpdir(), 'tg-micro-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const provider = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1', credentials: 'sk-provider' };
  const config = {
    runtime_directory: 'run',
    ledger: { directory: 'data/ledger' },
    providers: { p: provider },
    keys: [{ id: 'bench', secret: KEY, labels: { team: 'bench' } }],
    limits: LIMITS,
    prices: [{ model: '*', input: 1, output: 2 }],
    ...sections,
  };
  const file = join(directory, 'tollgate.yaml');
  writeFileSync(file, JSON.stringify(config));
  const { snapshot } = readSettings({ config: file, env: {}, directory });
  const options = {
    snapshot,
    generation: 1,
    env: { TOLLGATE_LOG_LEVEL: 'error' },
    envoyAdmin: () => ({ host: '127.0.0.1', port: 9 }),
    runtimeDirectory: directory,
    isLiving: () => false,
    worker: { index: 0, count: 1, workers: 1 },
    openHoldsOfOthers: () => 0,
  };
  return (await buildService(options)).gateway;
}

/** One HTTP exchange as Envoy has it: the next message when the one before is answered. */
class EnvoyStream implements ProcessCall {
  readonly #stream: RequestStream;
  readonly #messages: readonly Buffer[];
  readonly #done: (answers: number) => void;
  readonly #pieces: Buffer[] = [];
  #answers = 0;
  #left = false;

  constructor({ gateway, inFlight }: Served, messages: readonly Buffer[], done: (answers: number) => void) {
    this.#messages = messages;
    this.#done = done;
    this.#stream = new RequestStream(this, gateway, inFlight, 'lone');
    this.#next();
  }

  send(response: Parameters<ProcessCall['send']>[0]): void {
    encodeFramed(response, this.#pieces);
    this.#answers += 1;
    process.nextTick(() => this.#next());
  }

  later(_what: string, work: () => void): void {
    work();
  }

  fail(code: number, message: string): void {
    throw new Error(`the stream failed with ${code}: ${message}`);
  }

  /** Together with the last answer; one that is missing then is seen by the count of answers. */
  leave(): void {
    this.#left = true;
  }

  #next(): void {
    const message = this.#left ? undefined : this.#messages[this.#answers];
    if (message !== undefined) {
      this.#stream.message(decodeRequest(message));
      return;
    }
    this.#stream.closed();
    this.#done(this.#answers);
  }
}

interface Served {
  readonly gateway: Gateway;
  readonly inFlight: InFlight;
}

/** Rotated over by the requests of a case. */
interface Asked {
  readonly keys: readonly string[];
  readonly bodies: readonly Buffer[];
  readonly answer: readonly Buffer[];
}

function exchanges(name: string, gateway: Gateway, { keys, bodies, answer }: Asked): MicroCase {
  const served = { gateway, inFlight: new InFlight() };
  const wholeBodies = bodies.map(requestBody);
  const count = Math.max(keys.length, bodies.length);
  const heads = Array.from({ length: count }, (_, index) =>
    headersFor(keys[index % keys.length] ?? '', bodies[index % bodies.length]?.length ?? 0),
  );
  const expected = answer.length === 0 ? 1 : answer.length + 2;
  let at = 0;
  const one = (done: (problem: Error | null) => void): void => {
    at = (at + 1) % count;
    const template = heads[at];
    const whole = wholeBodies[at % wholeBodies.length];
    if (template === undefined || whole === undefined) throw new Error('nothing to ask');
    const head = withOwnId(template);
    // A large one is given back when its request is over, and a transport copies it too.
    const body = whole.length < FREED_FROM ? whole : Buffer.from(new Uint8Array(whole).buffer);
    const messages = answer.length === 0 ? [head] : [head, body, ...answer];
    new EnvoyStream(served, messages, (answers) =>
      done(answers === expected ? null : new Error(`${answers} answers instead of ${expected}`)),
    );
  };
  return {
    name,
    warmUp: WARM_UP,
    run: (times) =>
      new Promise((resolve, reject) => {
        let begun = 0;
        let ended = 0;
        const next = (): void => {
          if (begun >= times) return;
          begun += 1;
          one((problem) => {
            if (problem) reject(problem);
            ended += 1;
            if (ended === times) resolve();
            // A turn for what is done between requests: writes to the disk, records.
            else setImmediate(next);
          });
        };
        for (let started = 0; started < AT_ONCE; started += 1) next();
      }),
  };
}

const MANY_KEYS = Array.from({ length: 10_000 }, (_, index) => `sk-bench-one-of-many-${index}`);
const MANY_PROVIDERS = Array.from({ length: 100 }, (_, index) => `provider${index}`);

function manyKeys(): object {
  const hash = (secret: string): string => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  return { keys: MANY_KEYS.map((secret, at) => ({ id: `key${at}`, hash: hash(secret), labels: { team: 'bench' } })) };
}

function manyLimits(): object {
  const others = Array.from({ length: 998 }, (_, at) => ({
    name: `budget-${at}`,
    when: `key.labels.team == "team-${at}"`,
    cost: { max: 1_000_000, window: 'month' },
  }));
  return { limits: [...LIMITS, ...others] };
}

function manyProviders(): object {
  const provider = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1', credentials: 'sk-provider' };
  return { providers: Object.fromEntries(MANY_PROVIDERS.map((name) => [name, provider])) };
}

export async function cases(): Promise<readonly MicroCase[]> {
  const plain = await serviceWith({});
  const small = { keys: [KEY], bodies: [chatRequest(150)], answer: JSON_ANSWER };
  const bodies = MANY_PROVIDERS.map((name) => chatRequest(150, { model: `${name}/bench` }));
  return [
    exchanges('service: small JSON', plain, small),
    exchanges('service: small JSON, no limits', await serviceWith({ limits: [] }), small),
    exchanges('service: stream of 30 events', plain, {
      ...small,
      bodies: [chatRequest(150, { stream: true })],
      answer: STREAM_ANSWER,
    }),
    exchanges('service: body of 200 KB', plain, { ...small, bodies: [chatRequest(200_000)] }),
    exchanges('service: refused key', plain, { ...small, keys: ['sk-bench-that-nobody-knows'], answer: [] }),
    exchanges('service: small JSON, 10,000 keys', await serviceWith(manyKeys()), { ...small, keys: MANY_KEYS }),
    exchanges('service: small JSON, 1,000 limits', await serviceWith(manyLimits()), small),
    exchanges('service: small JSON, 100 providers', await serviceWith(manyProviders()), { ...small, bodies }),
  ];
}
