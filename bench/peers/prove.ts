import { deepStrictEqual, strictEqual } from 'node:assert';
import { KEY, type System } from '../systems.js';
import type { Contender } from './contender.js';

/** Of no system. */
export const WRONG_KEY = 'sk-wrong-0123456789abcdefghijklmnop';

/** What apps see of an answer and of a stream. */
export interface Answers {
  readonly content: string;
  /** Content of each event that has some. */
  readonly events: readonly string[];
}

interface Choices {
  readonly choices?: readonly {
    readonly message?: { readonly content?: string };
    readonly delta?: { readonly content?: string };
  }[];
}

/**
 * Asks for an answer and a stream.
 * @throws Error if it is not 200 with JSON, or a stream that ends as it should
 */
export async function askBoth(system: System): Promise<Answers> {
  const whole = await ask(system, KEY, { model: `${system.prefix}bench` });
  strictEqual(whole.status, 200, whole.text);
  const stream = await ask(system, KEY, { model: `${system.prefix}quick`, stream: true });
  strictEqual(stream.status, 200, stream.text);
  const events = stream.text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length));
  strictEqual(events.at(-1), '[DONE]', 'the end of the stream');
  return {
    content: (JSON.parse(whole.text) as Choices).choices?.[0]?.message?.content ?? '',
    events: events
      .slice(0, -1)
      .map((event) => (JSON.parse(event) as Choices).choices?.[0]?.delta?.content ?? '')
      .filter((content) => content !== ''),
  };
}

/**
 * That a system says what the provider says, each event for itself, and refuses a wrong key if it has keys.
 * @throws Error that tells the difference
 */
export async function prove({ system, refusals }: Contender, expected: Answers): Promise<void> {
  try {
    deepStrictEqual(await askBoth(system), expected);
    if (refusals.length === 0) return;
    const refused = await ask(system, WRONG_KEY, { model: `${system.prefix}bench` });
    strictEqual(refused.status, refusals[0], `a wrong key: ${refused.text}`);
  } catch (cause) {
    throw new Error(`${system.name} does not answer as it should`, { cause });
  }
}

async function ask(system: System, key: string, more: object): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${system.port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...system.headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Say something.' }], ...more }),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: answer.status, text: await answer.text() };
}
