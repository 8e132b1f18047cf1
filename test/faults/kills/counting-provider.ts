import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { listen, shut } from '../../../src/mock/listen.js';
import { readBody } from '../../../src/mock/read-body.js';
import type { Plan } from './plan.js';

/** What the provider itself knows about one attempt. */
export interface Served {
  readonly marker: string;
  /** The path's first part: the account that was asked. */
  readonly account: string;
  readonly status: 200 | 503;
  /** Tokens that it read. */
  readonly input: number;
  /** Tokens that it wrote, in events or in a whole answer. */
  output: number;
  /** The answer was written to its end. */
  whole: boolean;
  /** Epoch milliseconds at which the other side left before the end. */
  leftAt: number | null;
}

export interface CountingProvider {
  /** `http://127.0.0.1:port/<account>/v1`. */
  baseUrl(account: string): string;
  /** One for each attempt that arrived whole, oldest first. */
  readonly served: readonly Served[];
  /** Resolves when so many attempts have arrived. */
  reached(count: number): Promise<void>;
  close(): Promise<void>;
}

const BODY_LIMIT = 1024 * 1024;
const FAILING = 'first';

/** A provider that counts like OpenAI's: every token in an event of its own, the same tokens in a whole answer. */
export async function startCountingProvider(planOf: (marker: string) => Plan | undefined): Promise<CountingProvider> {
  const served: Served[] = [];
  const server = createServer((request, response) => {
    response.on('error', () => {});
    void answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await readBody(request, BODY_LIMIT);
    if (bytes === null) return;
    const body = JSON.parse(bytes.toString()) as Asked;
    const plan = planOf(body.user);
    if (plan === undefined) throw new Error(`nobody sent ${body.user}`);
    const account = request.url?.split('/')[1] ?? '';
    const fails = account === FAILING && plan.failsFirst;
    const input = inputTokens(body);
    const one: Served = {
      marker: body.user,
      account,
      status: fails ? 503 : 200,
      input,
      output: 0,
      whole: false,
      leftAt: null,
    };
    served.push(one);
    server.emit('reached');
    response.once('close', () => {
      one.whole = response.writableFinished;
      if (!one.whole) one.leftAt = Date.now();
    });
    await new Reply(response, plan, one).send();
  };
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    baseUrl: (account) => `http://127.0.0.1:${port}/${account}/v1`,
    served,
    async reached(count) {
      while (served.length < count) await once(server, 'reached');
    },
    close: () => shut(server),
  };
}

interface Asked {
  readonly user: string;
  readonly messages: readonly { readonly content: string }[];
}

/** Three for the beginning of the answer, four around each message. */
function inputTokens({ messages }: Asked): number {
  return messages.reduce((sum, { content }) => sum + 4 + countTokens(content), 3);
}

class Reply {
  readonly #response: ServerResponse;
  readonly #plan: Plan;
  readonly #served: Served;

  constructor(response: ServerResponse, plan: Plan, served: Served) {
    this.#response = response;
    this.#plan = plan;
    this.#served = served;
  }

  async send(): Promise<void> {
    const { firstMs, stream } = this.#plan;
    if (this.#served.status === 503) {
      this.#begin(503, 'application/json');
      this.#response.end('{"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}');
      return;
    }
    await wait(firstMs);
    if (stream) await this.#stream();
    else this.#whole();
  }

  #whole(): void {
    if (this.#response.destroyed) return;
    const { tokens } = this.#plan;
    const message = { role: 'assistant', content: tokens.join(''), refusal: null };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
    this.#begin(200, 'application/json');
    this.#served.output = tokens.length;
    this.#response.end(JSON.stringify({ ...this.#head('chat.completion'), choices, usage: this.#usage() }));
  }

  async #stream(): Promise<void> {
    const { tokens, paceMs } = this.#plan;
    if (this.#response.destroyed) return;
    this.#begin(200, 'text/event-stream');
    this.#event([delta({ role: 'assistant', content: '' })]);
    for (const content of tokens) {
      await (paceMs === 0 ? nextTurn() : wait(paceMs));
      if (this.#response.destroyed) return;
      this.#event([delta({ content })]);
      this.#served.output += 1;
    }
    this.#event([delta({}, 'stop')]);
    this.#event([], { usage: this.#usage() });
    this.#response.end('data: [DONE]\n\n');
  }

  #begin(status: number, type: string): void {
    this.#response.writeHead(status, { 'content-type': type });
  }

  #event(choices: readonly object[], more: object = {}): void {
    const event = { ...this.#head('chat.completion.chunk'), choices, ...more };
    this.#response.write(`data: ${JSON.stringify(event)}\n\n`);
  }

  #head(object: string): object {
    return { id: `chatcmpl-${this.#plan.marker}`, object, created: 1_760_000_000, model: 'gpt-kills-2026-01-01' };
  }

  #usage(): object {
    const { input, output } = this.#served;
    return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  }
}

function delta(content: object, finish: string | null = null): object {
  return { index: 0, delta: content, logprobs: null, finish_reason: finish };
}
