/** Requests that cost a dollar each, and what was paid for them. */
import type { Agent } from 'node:http';
import { exchange, type Open, opened, type Received } from '../e2e/client.js';
import type { Gateway } from '../e2e/harness.js';
import { eventually } from '../eventually.js';

/** Whatever is asked costs exactly a dollar. */
export const DOLLAR_EACH = [{ model: '*', input: 0, output: 0, request: 1 }];

export interface Asked {
  /** Gateway key. */
  readonly key: string;
  readonly model: string;
  readonly agent?: Agent;
}

/** One request with its whole answer. */
export function ask(gateway: Gateway, { key, model, agent }: Asked): Promise<Received> {
  return exchange(`${gateway.url}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${key}` },
    body: bodyOf(model, {}),
    ...(agent ? { agent } : {}),
  });
}

/** A stream, at its headers. */
export function openStream(gateway: Gateway, { key, model }: Asked): Promise<Open> {
  return opened(`${gateway.url}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${key}` },
    body: bodyOf(model, { stream: true }),
  });
}

function bodyOf(model: string, more: object): string {
  return JSON.stringify({ model, ...more, messages: [{ role: 'user', content: 'hello' }] });
}

/** Status → how many. */
export function count(answers: readonly { readonly status: number }[]): Record<number, number> {
  const counted: Record<number, number> = {};
  for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

/** Asks until the budget says no, so that whatever was given back is used up; how many were let through. */
export async function drain(gateway: Gateway, asked: Asked): Promise<number> {
  for (let passed = 0; ; passed += 1) if ((await ask(gateway, asked)).status !== 200) return passed;
}

/** Dollars of one key (its id) in the ledgers. */
export function spent(gateways: readonly Gateway[], key: string): number {
  let nano = 0;
  for (const gateway of gateways) {
    for (const entry of gateway.ledger())
      if (entry.type !== 'hold' && entry.key === key) nano += entry.cost_nano_usd ?? 0;
  }
  return nano / 1e9;
}

/** Dollars of one key in the records, as one gateway tells them. */
export async function recorded(gateway: Gateway, key: string): Promise<number> {
  const rows = await gateway.usage('key');
  return Number(rows.find((row) => row['key'] === key)?.['cost_nano_usd'] ?? 0) / 1e9;
}

/** Dollars used and held in the cost counter of one partition, as one gateway sees them. */
export async function counted(gateway: Gateway, limit: string): Promise<{ used: number; held: number }> {
  const rows = await gateway.limits();
  const row = rows.find((one) => one.limit === limit && one.of === 'cost');
  return { used: (row?.used ?? 0) / 1e9, held: (row?.held ?? 0) / 1e9 };
}

/** Waits until the counter says exactly this. */
export async function untilCounted(
  gateway: Gateway,
  limit: string,
  wanted: { readonly used: number; readonly held: number },
): Promise<void> {
  let seen = { used: -1, held: -1 };
  const look = async (): Promise<boolean> => {
    seen = await counted(gateway, limit);
    return seen.used === wanted.used && seen.held === wanted.held;
  };
  await eventually(`${limit} at ${JSON.stringify(wanted)}`, look).catch((error: Error) => {
    throw new Error(`${error.message}, but at ${JSON.stringify(seen)}`);
  });
}
