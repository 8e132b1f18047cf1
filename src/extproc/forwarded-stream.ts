import { type ClientDuplexStream, credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import { STATUS } from './grpc-status.js';
import type { ProcessingResponse } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { forwardingService } from './service-definition.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** Answers may hold bodies of any size. */
const WHOLE_BODIES = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

type Upstream = ClientDuplexStream<ProcessingRequest, ProcessingResponse>;
type Peer = { Process(metadata: Metadata): Upstream; close(): void };

/** A generation that was killed leaves its socket file behind: then nobody answers, and the local handler says so. */
export class ForwardedStream implements StreamHandler {
  readonly #peer: Peer;
  readonly #stream: Upstream;
  readonly #local: StreamHandler;
  readonly #call: ProcessCall;
  #first: ProcessingRequest | null = null;
  #dead = false;

  constructor(call: ProcessCall, owner: { readonly socket: string; readonly role: string }, local: StreamHandler) {
    const Client = makeGenericClientConstructor(forwardingService(), 'ExternalProcessor');
    this.#peer = new Client(`unix:${owner.socket}`, credentials.createInsecure(), WHOLE_BODIES) as unknown as Peer;
    this.#call = call;
    this.#local = local;
    const metadata = new Metadata();
    metadata.set('role', owner.role);
    this.#stream = this.#peer.Process(metadata);
    this.#stream.on('data', (response: ProcessingResponse) => {
      this.#first = null;
      call.send(response);
    });
    this.#stream.on('error', (error) => call.later('answering for a dead generation', () => this.#broken(error)));
    this.#stream.on('end', () => this.#ended());
  }

  message(request: ProcessingRequest): void {
    if (this.#dead) {
      this.#local.message(request);
      return;
    }
    this.#first ??= request;
    this.#stream.write(request);
  }

  closed(): void {
    this.#stream.end();
  }

  /** The other generation left the stream, so Envoy shall go on without us too. */
  #ended(): void {
    this.#peer.close();
    if (!this.#dead) this.#call.leave();
  }

  /** Before any answer this generation can answer itself; later nobody can go on where the other one stopped. */
  #broken(error: Error): void {
    this.#dead = true;
    this.#peer.close();
    if (this.#first) this.#local.message(this.#first);
    else this.#call.fail(STATUS.UNAVAILABLE, error.message);
  }
}
