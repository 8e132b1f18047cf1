import type { Wire } from './endpoint.js';

/** Wires whose streams have an end of their own, so that a missing one is an error. */
const TERMINATED: ReadonlySet<Wire> = new Set(['openai-chat', 'openai-completions', 'openai-responses']);

/** True when a stream of this wire must say that it has ended. */
export function hasTerminal(wire: Wire): boolean {
  return TERMINATED.has(wire);
}

/**
 * An error as an event in the middle of a stream, never followed by `[DONE]`. It begins with a blank line, which ends an
 * event that was cut.
 */
export function streamError(wire: Wire, message: string): Buffer {
  const code = 'provider_error';
  if (wire === 'openai-responses') {
    const data = JSON.stringify({ type: 'error', code, message, param: null, sequence_number: 0 });
    return Buffer.from(`\n\nevent: error\ndata: ${data}\n\n`);
  }
  return Buffer.from(`\n\ndata: ${JSON.stringify({ error: { message, type: 'api_error', param: null, code } })}\n\n`);
}
