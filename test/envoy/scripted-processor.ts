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
  readonly metadata_context?: { readonly filter_metadata?: Readonly<Record<string, Struct>> };
  readonly attributes?: Readonly<Record<string, Struct>>;
}

interface Headers {
  readonly headers?: { readonly headers?: readonly { readonly key: string; readonly raw_value: Buffer }[] };
  readonly end_of_stream?: boolean;
}

const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: false, oneofs: false } as const;

/**
 * A processor that does what the client's `x-tollgate-metadata` says: `targets=a,b` lets the request pass to these
 * clusters; `refuse` answers 418 itself; `undecided` answers without a decision.
 */
export function startProcessor(socket: string): Promise<Processor> {
  const seen: Seen[] = [];
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
  server.addService(service(), {
    Process: (call: ServerDuplexStream<Message, object>) => {
      const stream = new Stream(call, seen);
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
  readonly #rid: string;
  #script = '';

  constructor(call: ServerDuplexStream<Message, object>, seen: Seen[]) {
    this.#call = call;
    this.#seen = seen;
    this.#role = String(call.metadata.get('role')[0]);
    this.#rid = String(call.metadata.get('x-rid')[0]);
  }

  take(message: Message): void {
    const phase = ['request_headers', 'request_body', 'response_headers'].find((name) => name in message) ?? 'other';
    const headers = plainHeaders(message.request_headers ?? message.response_headers);
    const attributes = plainStruct(message.attributes?.['envoy.filters.http.ext_proc']);
    const metadata = plainStruct(message.metadata_context?.filter_metadata?.['tollgate']);
    this.#seen.push({ role: this.#role, rid: this.#rid, phase, headers, attributes, metadata });
    if (phase === 'request_headers') this.#script = headers['x-tollgate-metadata'] ?? '';
    this.#call.write(this.#role === 'again' ? this.#again(phase, attributes) : this.#request(phase, message));
  }

  #request(phase: string, message: Message): object {
    const last = phase === 'request_body' || message.request_headers?.end_of_stream === true;
    if (last && this.#script === 'refuse') return { immediate_response: REFUSAL };
    if (!last || !this.#script.startsWith('targets=')) return { [phase]: { response: {} } };
    const targets = this.#script.slice('targets='.length).split(',');
    const body = Buffer.from(`{"target":"${targets[0]}"}`);
    const headers = {
      ':path': '/upstream/1',
      authorization: `Bearer key-of-${targets[0]}`,
      'x-envoy-max-retries': String(targets.length - 1),
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
    const groups = targets.map((name) => ({ name, clusters: [{ cluster_name: name, weight: 1 }] }));
    return { decision: 'pass', rid: this.#rid, priority_groups: groups, ...facts };
  }

  #again(phase: string, attributes: Readonly<Record<string, unknown>>): object {
    if (phase !== 'request_headers') return { [phase]: { response: {} } };
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
    };
  }
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
