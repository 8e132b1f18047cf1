import { pieces } from '../codec/word-pieces.js';
import type { Prompt } from './reply.js';

/** What the mock thinks aloud before it answers, where a dialect asks for thinking; as pieces, one token each. */
export function thoughtsOn(prompt: Prompt): readonly string[] {
  const subject = prompt.toolResult === null ? prompt.last : prompt.toolResult;
  return pieces(`The question is: ${subject.slice(0, 200)} Let me think about it.`);
}

/** A signature as providers put on thoughts: opaque, the same for the same request. */
export function signatureOf(id: string): string {
  return Buffer.from(`thought ${id}`).toString('base64');
}
