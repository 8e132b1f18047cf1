import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { anthropicSpeaker } from './anthropic-speaker.js';
import { bedrockSpeaker } from './bedrock-speaker.js';
import { chatSpeaker } from './chat-speaker.js';
import { geminiSpeaker } from './gemini-speaker.js';
import type { Json, Seen, Speaker, Turn } from './script.js';

const SPEAKERS: readonly (readonly [path: RegExp, speaker: Speaker])[] = [
  [/\/messages$/, anthropicSpeaker],
  [/\/chat\/completions$/, chatSpeaker],
  [/:(?:stream)?[gG]enerateContent(?:\?|$)/, geminiSpeaker],
  [/\/converse(?:-stream)?$/, bedrockSpeaker],
];
const STREAMED = /:streamGenerateContent|\/converse-stream$/;

export interface StrictProvider {
  readonly port: number;
  /** What the n-th request held, oldest first. */
  readonly seen: readonly Seen[];
  readonly bodies: readonly Json[];
  /** Every rule that some request broke: the client got a 400 for it. */
  readonly faults: readonly string[];
  /** Forgets what it has seen, and says these turns from now on, one per request. */
  play(turns: readonly Turn[]): void;
  close(): Promise<void>;
}

/** A provider that speaks every dialect, by a script, and takes only requests which the published API would take. */
export async function startStrictProvider(): Promise<StrictProvider> {
  const provider = new ScriptedProvider();
  const server = createServer((request, response) => {
    void provider.answer(request, response).catch((error: unknown) => {
      provider.faults.push(String(error));
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  provider.port = (server.address() as AddressInfo).port;
  provider.close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return provider;
}

class ScriptedProvider implements StrictProvider {
  port = 0;
  seen: Seen[] = [];
  bodies: Json[] = [];
  faults: string[] = [];
  close: () => Promise<void> = async () => {};
  #turns: readonly Turn[] = [];

  play(turns: readonly Turn[]): void {
    this.#turns = turns;
    this.seen = [];
    this.bodies = [];
    this.faults = [];
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    // Somebody looks for models, or whether anybody is here.
    if (request.method !== 'POST') return void response.writeHead(404).end();
    const body: Json = await json(request);
    const speaker = SPEAKERS.find(([paths]) => paths.test(path))?.[1];
    if (speaker === undefined) throw new Error(`nobody speaks at ${path}`);
    const turn = this.#turns[this.bodies.push(body) - 1];
    const faults = turn === undefined ? ['there is no such turn'] : speaker.faults(body);
    this.faults.push(...faults.map((fault) => `request ${this.bodies.length}: ${fault}`));
    if (turn === undefined || faults.length > 0) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify(speaker.refusal(faults.join('; '))));
      return;
    }
    this.seen.push(speaker.seen(body));
    if (body.stream === true || STREAMED.test(path)) return say(response, speaker.stream(turn));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(speaker.whole(turn)));
  }
}

async function say(response: ServerResponse, { type, pieces }: ReturnType<Speaker['stream']>): Promise<void> {
  response.writeHead(200, { 'content-type': type });
  for (const piece of pieces) {
    response.write(piece);
    await nextTurn();
  }
  response.end();
}
