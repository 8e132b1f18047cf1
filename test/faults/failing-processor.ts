/**
 * A process of its own that answers Envoy and fails where the client's `x-tollgate-metadata` says: `PHASE ACTION`, such
 * as `request_body kill` or `chunk end`. Arguments: socket, cluster. Tells its parent `ready`, and what it has done.
 */
import { Server, ServerCredentials, type ServerDuplexStream, status as Status } from '@grpc/grpc-js';
import { BODY_MODE, HEADER_MODE } from '../../src/extproc/messages.js';
import { referenceService } from '../../src/extproc/service-definition.js';
import {
  type CommonShape,
  type Plain,
  type RequestShape,
  type ResponseShape,
  toStruct,
} from '../extproc/message-shapes.js';

type Call = ServerDuplexStream<RequestShape, ResponseShape>;

/** `chunk` is the piece of a streamed answer in which `FAILING_WORD` comes, `response_body` a buffered answer. */
export type Phase = 'request_headers' | 'request_body' | 'response_headers' | 'response_body' | 'chunk';
export type Action =
  | 'end'
  | 'error'
  | 'kill'
  | 'silence'
  | 'spurious'
  | 'report'
  | 'pass-early'
  | 'bad-header'
  | 'bad-length';

const [socket = '', cluster = ''] = process.argv.slice(2);
/** Some way into the answer; the provider waits before it. */
const FAILING_WORD = 'word19 ';

class Stream {
  readonly #call: Call;
  #phase = '';
  #action = '';
  #silent = false;

  constructor(call: Call) {
    this.#call = call;
  }

  take(message: RequestShape): void {
    if (message.request_headers) this.#read(message);
    if (this.#silent) return;
    if (this.#failsAt(message)) this.#fail(message);
    else this.#call.write(this.#answer(message));
  }

  #read(message: RequestShape): void {
    const headers = message.request_headers?.headers?.headers ?? [];
    const script = headers.find(({ key }) => key === 'x-tollgate-metadata')?.raw_value?.toString() ?? '';
    [this.#phase = '', this.#action = ''] = script.split(' ');
  }

  #failsAt(message: RequestShape): boolean {
    if (this.#phase === 'chunk') return message.response_body?.body?.includes(FAILING_WORD) === true;
    return this.#phase in message;
  }

  #fail(message: RequestShape): void {
    const call = this.#call;
    const done = () => process.send?.('done');
    switch (this.#action as Action) {
      case 'kill':
        process.kill(process.pid, 'SIGKILL');
        break;
      case 'end':
        this.#silent = true;
        call.end();
        break;
      case 'error':
        this.#silent = true;
        call.emit('error', { code: Status.INTERNAL, details: 'as the test wants' });
        break;
      case 'silence':
        this.#silent = true;
        break;
      case 'spurious':
        call.write({ response_headers: { response: {} } });
        break;
      case 'pass-early':
        call.write({ request_headers: { response: toFirst({}) }, ...decision() }, done);
        return;
      case 'report':
        call.write(this.#answer(message), done);
        return;
      case 'bad-header':
        call.write(pass({ header_mutation: header('x-broken', 'line\r\nbreak') }));
        break;
      case 'bad-length':
        call.write(pass({ body_mutation: { body: Buffer.from('{"longer":"than the client said it would be"}') } }));
        break;
    }
    done();
  }

  #answer(message: RequestShape): ResponseShape {
    if (message.request_body) return pass({});
    if (message.response_headers) {
      const body = this.#phase === 'response_body' ? BODY_MODE.BUFFERED : BODY_MODE.STREAMED;
      const modes = { request_body_mode: BODY_MODE.BUFFERED, response_header_mode: HEADER_MODE.SEND };
      return { response_headers: { response: {} }, mode_override: { ...modes, response_body_mode: body } };
    }
    return message.response_body ? { response_body: { response: {} } } : { request_headers: { response: {} } };
  }
}

function header(key: string, value: string): NonNullable<CommonShape['header_mutation']> {
  return { set_headers: [{ header: { key, raw_value: Buffer.from(value) } }] };
}

function pass(change: CommonShape): ResponseShape {
  return { request_body: { response: toFirst(change) }, ...decision() };
}

/** The route is chosen anew only when a header has changed too. */
function toFirst(change: CommonShape): CommonShape {
  return { clear_route_cache: true, header_mutation: header(':path', '/v1/chat/completions'), ...change };
}

function decision(): Pick<ResponseShape, 'dynamic_metadata'> {
  const groups: Plain = [{ name: 'first', clusters: [{ cluster_name: cluster, weight: 1 }] }];
  return { dynamic_metadata: toStruct({ tollgate: { decision: 'pass', priority_groups: groups } }) };
}

const server = new Server();
server.addService(referenceService(), {
  Process: (call: Call) => {
    const stream = new Stream(call);
    call.on('data', (message: RequestShape) => stream.take(message));
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  },
});
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  process.send?.('ready');
});
process.on('disconnect', () => process.exit(0));
