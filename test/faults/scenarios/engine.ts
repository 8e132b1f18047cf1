import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { listen, shut } from '../../../src/mock/listen.js';
import { type Gateway, startGateway } from '../../e2e/harness.js';
import { refusingUrl, type Scripted, startScripted, streamScript } from '../../e2e/scripted.js';
import { ask, type Seen } from './ask.js';
import { checkClient, checkRecord } from './checks.js';
import { play } from './faults.js';
import { accountName, credentialOf, modelName } from './names.js';
import { type Case, caseName, type Finished } from './scenario.js';

const SHORT = { 1: '500ms', 50: '3s' } as const;

/** A gateway that knows every target of its cases: a provider of its own for each, so that no case's health decides another's. */
export class Stage {
  readonly #gateway: Gateway;
  readonly #provider: Scripted;
  readonly #finished: Finished[] = [];
  #sent = 0;

  private constructor(gateway: Gateway, provider: Scripted) {
    this.#gateway = gateway;
    this.#provider = provider;
  }

  static async open(t: Test, cases: readonly Case[]): Promise<Stage> {
    const provider = await startScripted();
    t.teardown(() => provider.close());
    const addresses = { ...(await badAddresses(t)), well: new URL(provider.baseUrl).origin };
    const targets = cases.flatMap((each) => each.scenario.targets.map((target, at) => ({ each, target, at })));
    const accounts = targets.map(({ each, target, at }) => {
      const name = accountName(each, at);
      const origin = addresses[typeof target.fault === 'string' ? target.fault : 'well'];
      return [name, { kind: 'openai-compatible', base_url: `${origin}/${name}/v1`, credentials: credentialOf(name) }];
    });
    const config = {
      providers: Object.fromEntries(accounts),
      models: Object.fromEntries(cases.map((each) => [caseName(each), modelOf(each)])),
    };
    for (const { each, target, at } of targets) {
      const times = new Map<string, number>();
      provider.on(modelName(each, at), (capture) => {
        const body = capture.body.toString('latin1');
        const seed = /"seed":(\d+)/.exec(body)?.[1] ?? '';
        times.set(seed, (times.get(seed) ?? 0) + 1);
        const asked = { capture, form: each.form, times: times.get(seed) ?? 1, well: well(each, at) };
        return play(target.fault, asked);
      });
    }
    return new Stage(await startGateway(t, { config }), provider);
  }

  /** Plays one case and checks what clients, providers and records say about it. */
  async play(t: Test, each: Case): Promise<void> {
    let withContent = 0;
    const onContent = (): void => {
      withContent += 1;
      if (withContent === each.parallel && each.scenario.breaksLater) void this.#breakAll(each);
    };
    // Forgets answers that an earlier case has left at their hold.
    this.#provider.release();
    const seeds = Array.from({ length: each.parallel }, () => (this.#sent += 1));
    const answers = await Promise.all(seeds.map((seed) => this.#ask(each, seed, onContent)));
    const finished: Finished[] = [];
    for (const seen of answers) {
      const record = await this.#gateway.record(String(seen.headers['x-request-id'] ?? ''));
      finished.push({ case: each, seen, record });
    }
    this.#finished.push(...finished);
    for (const each of finished) {
      checkRecord(t, each);
      checkClient(t, each);
    }
    this.#checkProviders(t, each, finished);
  }

  /** After all cases: one hold and one final entry for each request, equal to its record. */
  async checkLedger(t: Test): Promise<void> {
    await this.#gateway.idle();
    const finals = new Map<string, FinalEntry[]>();
    for (const entry of this.#gateway.ledger()) {
      if (entry.type !== 'hold') finals.set(entry.id, [...(finals.get(entry.id) ?? []), entry]);
    }
    t.same(this.#gateway.unsettled(), [], 'every hold has its one end');
    t.equal(finals.size, this.#finished.length, 'no entry of anybody else');
    for (const { record, case: each } of this.#finished) {
      const [entry, ...others] = finals.get(record.id) ?? [];
      t.match({ ...entry }, { ...record, attempts: record.attempts }, `${caseName(each)}: ledger`);
      t.equal(others.length, 0, `${caseName(each)}: one final entry`);
    }
  }

  /** A client may have its content before the provider has come to its hold. */
  async #breakAll(each: Case): Promise<void> {
    const asked = this.#provider.captures.filter((capture) => capture.model === modelName(each, 0));
    await this.#provider.held(asked.length);
    this.#provider.release();
  }

  #ask(each: Case, seed: number, onContent: () => void): Promise<Seen> {
    const { form, protocol } = each;
    const messages = [{ role: 'user', content: 'hi' }];
    const body = JSON.stringify({ model: caseName(each), stream: form === 'stream', seed, messages });
    const { url, key } = this.#gateway;
    return ask({ url: `${url}/v1/chat/completions`, key, protocol, form, body, onContent });
  }

  /** Each provider got what the records say, complete for itself, and nothing of another one. */
  #checkProviders(t: Test, each: Case, finished: readonly Finished[]): void {
    each.scenario.targets.forEach((_, at) => {
      const name = accountName(each, at);
      const captures = this.#provider.captures.filter((capture) => capture.model === modelName(each, at));
      const attempts = finished.flatMap(({ record }) =>
        record.attempts.filter(({ target }) => target === `${name}/${modelName(each, at)}`),
      );
      const reached = attempts.filter(({ reason }) => reason !== 'connect').length;
      t.equal(captures.length, reached, `${name}: received as often as the records say`);
      for (const capture of captures) {
        const { stream_options: options, ...sent } = JSON.parse(capture.body.toString()) as Record<string, unknown>;
        const expected = {
          model: modelName(each, at),
          stream: each.form === 'stream',
          messages: [{ role: 'user', content: 'hi' }],
        };
        const secrets = [...JSON.stringify(capture.rawHeaders).matchAll(/sk-[\w.-]+/g)].map(([secret]) => secret);
        const request = [
          capture.method,
          capture.path,
          capture.headers['content-length'],
          secrets,
          { ...sent, seed: 0 },
        ];
        const length = String(capture.body.length);
        const path = `/${name}/v1/chat/completions`;
        t.same(request, ['POST', path, length, [credentialOf(name)], { ...expected, seed: 0 }], `${name}: request`);
        t.equal(options !== undefined, each.form === 'stream', `${name}: asked for usage`);
      }
    });
  }
}

async function badAddresses(t: Test): Promise<Record<'refused' | 'unknown-name' | 'wrong-certificate', string>> {
  const files = { key: readCertificate('key'), cert: readCertificate('crt') };
  const tls = createTlsServer(files, (_, response) => response.end('{}'));
  const { port } = await listen(tls, { host: '127.0.0.1', port: 0 });
  t.teardown(() => shut(tls));
  return {
    refused: new URL(await refusingUrl()).origin,
    'unknown-name': 'http://nobody.invalid',
    'wrong-certificate': `https://127.0.0.1:${port}`,
  };
}

function readCertificate(end: 'key' | 'crt'): string {
  return readFileSync(join(process.cwd(), `test/envoy/localhost.${end}`), 'utf8');
}

function modelOf(each: Case): object {
  const { scenario, parallel } = each;
  const short = parallel === 1 ? SHORT[1] : SHORT[50];
  const clocks = scenario.isLate ? { first_token: short, response: short } : {};
  return {
    targets: scenario.targets.map(({ contextWindow }, at) => ({
      model: `${accountName(each, at)}/${modelName(each, at)}`,
      ...(contextWindow === undefined ? {} : { context_window: contextWindow }),
    })),
    retry: { ...clocks, stall: '600ms', ...scenario.retry },
    retry_budget: 'off',
  };
}

/** What a target says when it is well: its number and one word more. */
function well(each: Case, at: number): ReturnType<typeof streamScript> {
  const model = modelName(each, at);
  if (each.form === 'stream') return streamScript(model, [`t${at + 1}`, ' end']);
  return { chunks: [wholeAnswer(model, `t${at + 1} end`)] };
}

function wholeAnswer(model: string, content: string): string {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
  return JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, choices, usage });
}
