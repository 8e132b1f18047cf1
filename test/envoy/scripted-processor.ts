import { join } from 'node:path';
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** What a stream said: one entry for each message Envoy sent. */
export interface Seen {
  readonly role: string;
  readonly rid: string;
  readonly phase: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface Processor {
  readonly seen: readonly Seen[];
  stop(): void;
}

interface Struct {
  readonly fields?: Readonly<Record<string, Record<string, unknown>>>;
}

interface Message {
  readonly request_headers?: Headers;
  readonly response_headers?: Headers;
  readonly request_body?: { readonly body: Buffer };
  readonly response_body?: { readonly body?: Buffer; readonly end_of_stream?: boolean };
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, Struct>> };
  readonly attributes?: Readonly<Record<string, Struct>>;
}

interface Headers {
  readonly headers?: { readonly headers?: readonly { readonly key: string; readonly raw_value: Buffer }[] };
  readonly end_of_stream?: boolean;
}

const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: false, oneofs: false } as const;

/** What the client may ask for, as JSON in `x-tollgate-metadata`. */
export interface Script {
  /** Cluster of each attempt. */
  readonly targets: readonly string[];
  /** More headers in the last answer of the request phase, such as `x-envoy-retry-on`. */
  readonly set?: Readonly<Record<string, string>>;
  /** `peek` and `again` hold each answer until its first chunk, and give this verdict on one that contains `error`. */
  readonly verdict?: Readonly<Record<string, string>>;
  /** The verdict also puts these clusters in the place of the targets. */
  readonly instead?: readonly string[];
  /** The `request` stream sees the answer's chunks: it cuts after this many, or adds this text to the last. */
  readonly cutAfter?: number;
  readonly append?: string;
}

/**
 * A processor that does what the client's `x-tollgate-metadata` says: `targets=a,b` lets the request pass to these
 * clusters, and again after a 429; a `Script` says more; `refuse` answers 418 itself; else it answers without a decision.
 */
export function startProcessor(socket: string): Promise<Processor> {
  const seen: Seen[] = [];
  const scripts = new Map<string, Script>();
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
  server.addService(service(), {
    Process: (call: ServerDuplexStream<Message, object>) => {
      const stream = new Stream(call, seen, scripts);
      call.on('data', (message: Message) => stream.take(message));
      call.on('end', () => call.end());
      call.on('error', () => undefined);
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve({ seen, stop: () => server.forceShutdown() });
    });
  });
}

function service(): ServiceDefinition {
  let node: unknown = loadPackageDefinition(loadSync(join(process.cwd(), 'proto/external_processor.proto'), OPTIONS));
  for (const name of ['envoy', 'service', 'ext_proc', 'v3', 'ExternalProcessor']) {
    node = (node as Record<string, unknown>)[name];
  }
  return (node as { readonly service: ServiceDefinition }).service;
}

class Stream {
  readonly #call: ServerDuplexStream<Message, object>;
  readonly #seen: Seen[];
  readonly #role: string;
  /** Envoy's id of the request: in its headers, in metadata after the decision. */
  #rid = '';
  readonly #scripts: Map<string, Script>;
  #words = '';
  #chunks = 0;
  #held = false;
  #left = false;

  constructor(call: ServerDuplexStream<Message, object>, seen: Seen[], scripts: Map<string, Script>) {
    this.#call = call;
    this.#seen = seen;
    this.#scripts = scripts;
    this.#role = String(call.metadata.get('role')[0]);
  }

  take(message: Message): void {
    const phase = PHASES.find((name) => name in message) ?? 'other';
    const headers = plainHeaders(message.request_headers ?? message.response_headers);
    const attributes = plainStruct(message.attributes?.['envoy.filters.http.ext_proc']);
    const metadata = plainStruct(message.metadata_context?.filter_metadata?.['tollgate']);
    if (this.#rid === '')
      this.#rid = this.#role === 'request' ? (headers['x-request-id'] ?? '') : String(metadata['rid']);
    this.#seen.push({ role: this.#role, rid: this.#rid, phase, headers, attributes, metadata });
    if (phase.startsWith('response')) this.#response(phase, message);
    else if (this.#role === 'again') this.#call.write(this.#again(attributes));
    else this.#request(phase, message, headers);
  }

  get #script(): Script | undefined {
    return this.#scripts.get(this.#rid);
  }

  #response(phase: string, message: Message): void {
    if (this.#role === 'request') this.#answer(phase, message);
    else if (this.#script?.verdict === undefined) this.#call.write({ [phase]: { response: {} } });
    else if (!this.#left) this.#judge(phase, message);
  }

  /** The answer as the client gets it. */
  #answer(phase: string, message: Message): void {
    const { cutAfter, append } = this.#script ?? {};
    const watch = cutAfter !== undefined || append !== undefined;
    const change = {
      body_mutation: {
        body: Buffer.concat([message.response_body?.body ?? Buffer.alloc(0), Buffer.from(append ?? '')]),
      },
    };
    const last = message.response_body?.end_of_stream === true && append !== undefined;
    this.#call.write({
      [phase]: { response: last ? change : {} },
      ...(phase === 'response_headers' && watch ? { mode_override: STREAMED } : {}),
    });
    if (phase === 'response_body') this.#chunks += 1;
    if (this.#chunks === cutAfter)
      this.#call.write({ immediate_response: { status: { code: 504 }, details: 'tollgate_stall' } });
  }

  /** Holds the headers until the first chunk says what they are worth; then leaves. */
  #judge(phase: string, message: Message): void {
    if (phase === 'response_headers') {
      this.#held = true;
      if (message.response_headers?.end_of_stream !== true) return;
    }
    if (this.#held) {
      const bad = message.response_body?.body?.includes('error') ?? true;
      const { verdict = {}, instead } = this.#script ?? {};
      this.#held = false;
      this.#call.write({
        response_headers: { response: bad ? { header_mutation: set(verdict) } : {} },
        ...(bad && instead ? { dynamic_metadata: struct({ tollgate: { priority_groups: groups(instead) } }) } : {}),
      });
    }
    if (phase === 'response_body') this.#call.write({ response_body: { response: {} } });
    this.#left = true;
    this.#call.end();
  }

  #request(phase: string, message: Message, headers: Readonly<Record<string, string>>): void {
    if (phase === 'request_headers') this.#words = headers['x-tollgate-metadata'] ?? '';
    const last = phase === 'request_body' || message.request_headers?.end_of_stream === true;
    const script = last ? readScript(this.#words) : null;
    if (script) this.#scripts.set(this.#rid, script);
    if (last && this.#words === 'refuse') this.#call.write({ immediate_response: REFUSAL });
    else this.#call.write(script ? this.#pass(phase, script) : { [phase]: { response: {} } });
  }

  #pass(phase: string, { targets, set: more }: Script): object {
    const body = Buffer.from(`{"target":"${targets[0]}"}`);
    const headers = {
      ':path': '/upstream/1',
      authorization: `Bearer key-of-${targets[0]}`,
      'x-envoy-max-retries': String(targets.length - 1),
      ...(isLone(targets) ? { 'x-tollgate-cluster': targets[0] ?? '' } : {}),
      ...more,
      ...(phase === 'request_body' ? { 'content-length': String(body.length) } : {}),
    };
    const mutation = phase === 'request_body' ? { body_mutation: { body } } : {};
    return {
      [phase]: { response: { header_mutation: set(headers), clear_route_cache: true, ...mutation } },
      dynamic_metadata: struct({ tollgate: this.#decision(targets) }),
    };
  }

  #decision(targets: readonly string[]): object {
    const facts = { key: 'web', model: 'smart', endpoint: '/v1/chat/completions', stream: true, generation: 7 };
    return {
      decision: 'pass',
      rid: this.#rid,
      ...(isLone(targets) ? {} : { priority_groups: groups(targets) }),
      ...facts,
    };
  }

  #again(attributes: Readonly<Record<string, unknown>>): object {
    const cluster = String(attributes['xds.cluster_name']);
    const body = Buffer.from(`{"target":"${cluster}","again":true}`);
    return {
      request_headers: {
        response: {
          status: 'CONTINUE_AND_REPLACE',
          header_mutation: set({ ':path': '/upstream/again', authorization: `Bearer key-of-${cluster}` }),
          body_mutation: { body },
        },
      },
      dynamic_metadata: struct({ tollgate_attempt: { content_length: String(body.length) } }),
      ...(this.#script?.verdict === undefined ? {} : { mode_override: STREAMED }),
    };
  }
}

const PHASES = ['request_headers', 'request_body', 'response_headers', 'response_body'];

const STREAMED = { request_header_mode: 'SEND', response_header_mode: 'SEND', response_body_mode: 'STREAMED' };

const USUAL_RETRIES = { 'x-envoy-retry-on': 'reset', 'x-envoy-retriable-status-codes': '429' };

function readScript(words: string): Script | null {
  if (words.startsWith('{')) return JSON.parse(words) as Script;
  if (!words.startsWith('targets=')) return null;
  return { targets: words.slice('targets='.length).split(','), set: USUAL_RETRIES };
}

/** As the service says it: the one cluster in a header, several in a list. */
function isLone(targets: readonly string[]): boolean {
  return new Set(targets).size === 1;
}

function groups(targets: readonly string[]): object[] {
  return targets.map((name) => ({ name, clusters: [{ cluster_name: name, weight: 1 }] }));
}

const REFUSAL = {
  status: { code: 418 },
  headers: set({ 'content-type': 'application/json' }),
  body: Buffer.from('{"mine":true}'),
  details: 'tollgate_refused',
};

function set(headers: Readonly<Record<string, string>>): object {
  return {
    set_headers: Object.entries(headers).map(([key, value]) => ({ header: { key, raw_value: Buffer.from(value) } })),
  };
}

function plainHeaders(headers: Headers | undefined): Record<string, string> {
  const list = headers?.headers?.headers ?? [];
  return Object.fromEntries(list.map(({ key, raw_value }) => [key, raw_value.toString()]));
}

function plainStruct(from: Struct | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from?.fields ?? {}).map(([key, value]) => [key, Object.values(value)[0]]));
}

function struct(from: object): object {
  return { fields: Object.fromEntries(Object.entries(from).map(([key, value]) => [key, wrap(value)])) };
}

function wrap(value: unknown): object {
  if (Array.isArray(value)) return { list_value: { values: value.map(wrap) } };
  if (typeof value === 'object' && value !== null) return { struct_value: struct(value) };
  if (typeof value === 'number') return { number_value: value };
  return typeof value === 'boolean' ? { bool_value: value } : { string_value: String(value) };
}
