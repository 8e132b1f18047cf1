import { Agent, request as requestHttp1 } from 'node:http';
import { connect } from 'node:http2';

/** A stream, or a whole JSON answer. */
export type Form = 'stream' | 'json';
export type Protocol = 'http/1.1' | 'http/2';

/** What a client got. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body ended as HTTP says. */
  readonly complete: boolean;
}

export interface Question {
  readonly url: string;
  readonly key: string;
  readonly protocol: Protocol;
  readonly form: Form;
  readonly body: string;
  /** Called once, when all content is here (in JSON some), or at the end without. */
  readonly onContent: () => void;
}

/** The last word that the scenarios' providers say; half a JSON body has none. */
const CONTENT: Readonly<Record<Form, RegExp>> = { stream: /"content":" end"/, json: /./ };

/** Asks on a connection of its own. Rejects only when there is no answer at all. */
export function ask(question: Question): Promise<Seen> {
  return question.protocol === 'http/2' ? askHttp2(question) : askHttp1(question);
}

class Body {
  text = '';
  readonly #question: Question;
  #told = false;

  constructor(question: Question) {
    this.#question = question;
  }

  push(chunk: Buffer): void {
    this.text += chunk.toString('latin1');
    if (CONTENT[this.#question.form].test(this.text)) this.tell();
  }

  tell(): void {
    if (!this.#told) this.#question.onContent();
    this.#told = true;
  }
}

function headersOf({ key, body }: Question): Record<string, string> {
  return {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': String(body.length),
  };
}

function askHttp1(question: Question): Promise<Seen> {
  const body = new Body(question);
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const request = requestHttp1(question.url, { method: 'POST', headers: headersOf(question), agent }, (response) => {
      response.on('data', (chunk: Buffer) => body.push(chunk));
      response.on('error', () => {});
      response.once('close', () => {
        body.tell();
        const { headers, complete, statusCode: status = 0 } = response;
        resolve({ status, headers, text: body.text, complete });
      });
    });
    request.once('error', reject);
    request.end(question.body);
  });
}

function askHttp2(question: Question): Promise<Seen> {
  const url = new URL(question.url);
  const body = new Body(question);
  return new Promise((resolve, reject) => {
    const session = connect(url.origin);
    session.once('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': url.pathname, ...headersOf(question) });
    let headers: Record<string, unknown> | null = null;
    let complete = true;
    stream.once('response', (received) => {
      headers = received;
    });
    stream.on('data', (chunk: Buffer) => body.push(chunk));
    stream.once('error', () => {
      complete = false;
    });
    stream.once('close', () => {
      body.tell();
      session.close();
      if (headers) resolve({ status: Number(headers[':status']), headers, text: body.text, complete });
      else reject(new Error('no answer'));
    });
    stream.end(question.body);
  });
}
