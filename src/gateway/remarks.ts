import { compareCost } from '../accounting/compare-cost.js';
import { statesTooLittle } from '../accounting/estimates/output-tokens.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import { tokenFamily } from '../accounting/tokens/families.js';
import type { Wire } from '../dialects/endpoint.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

/** Answers made of text that the provider counts as output tokens. */
const WRITES: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate',
  'bedrock-converse',
]);

/**
 * What somebody should know about numbers that are booked as they are: the provider's word on usage stands although it states
 * far less than it sent, and its word on cost stands beside ours.
 */
export function remarkOn(
  parts: Parts,
  state: RequestState,
  booked: Pick<FinalEntry, 'usage_source' | 'cost_nano_usd' | 'stated_cost_nano_usd'>,
): void {
  if (booked.usage_source === 'provider' && mismatches(parts, state)) parts.report.remark('usage_mismatch');
  const compared = compareCost(booked);
  if (compared && compared.agreement !== 'equal') parts.report.remark('stated_cost_differs');
}

function mismatches(parts: Parts, state: RequestState): boolean {
  const { endpoint, response, served } = state;
  if (!endpoint || !response || !served || !WRITES.has(endpoint.wire)) return false;
  return statesTooLittle(parts.tokens, response, tokenFamily(served.name));
}
