import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '../../seeded-random.js';
import { type Plan, planRequest, type Shares } from './plan.js';

/** What a client saw of its request. */
export interface Sent {
  readonly plan: Plan;
  /** 0: it left before there was an answer. */
  readonly status: number;
  /** It left. */
  readonly left: boolean;
  /** The body ended as HTTP says. */
  readonly complete: boolean;
}

export interface LoadOptions {
  readonly url: string;
  readonly key: string;
  readonly seed: number;
  readonly clients: number;
  readonly shares: Shares;
}

/** After a refusal, so that a service that is down is not asked thousands of times. */
const REFUSED_MS = 150;

/** Clients that ask one after the other until they are told to stop. */
export class Load {
  readonly sent: Sent[] = [];
  readonly #options: LoadOptions;
  readonly #plans = new Map<string, Plan>();
  readonly #random: () => number;
  readonly #agent: Agent;
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  }

  plan = (marker: string): Plan | undefined => this.#plans.get(marker);

  start(): void {
    this.#running = Promise.all(Array.from({ length: this.#options.clients }, () => this.#client()));
  }

  /** Resolves when the last request has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #client(): Promise<void> {
    while (!this.#stopped) {
      const plan = planRequest(`kills-${this.#plans.size}`, this.#random, this.#options.shares);
      this.#plans.set(plan.marker, plan);
      const sent = await this.#ask(plan);
      this.sent.push(sent);
      if (sent.status >= 500) await wait(REFUSED_MS);
    }
  }

  #ask(plan: Plan): Promise<Sent> {
    const { url, key } = this.#options;
    const messages = [{ role: 'user', content: plan.prompt }];
    const body = JSON.stringify({ model: plan.model, stream: plan.stream, user: plan.marker, messages });
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve) => {
      let left = false;
      let status = 0;
      const request = httpRequest(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: this.#agent });
      const leave = (): void => {
        left = true;
        request.destroy();
      };
      const timer = plan.leave && 'afterMs' in plan.leave ? setTimeout(leave, plan.leave.afterMs) : null;
      const done = (complete: boolean): void => {
        if (timer) clearTimeout(timer);
        resolve({ plan, status, left, complete });
      };
      // Only when there is no answer: later the answer itself tells how it ended.
      request.on('error', () => {
        if (status === 0) done(false);
      });
      request.once('response', (response) => {
        status = response.statusCode ?? 0;
        const events = plan.leave && 'afterEvents' in plan.leave ? plan.leave.afterEvents : Number.POSITIVE_INFINITY;
        let seen = -1; // the first event has the role alone
        response.on('data', (chunk: Buffer) => {
          seen += chunk.toString('latin1').split('"content":').length - 1;
          if (seen >= events) leave();
        });
        response.on('error', () => {});
        response.once('close', () => done(response.complete));
      });
      request.end(body);
    });
  }
}
