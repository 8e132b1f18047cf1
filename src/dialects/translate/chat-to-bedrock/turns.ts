import { type JsonObject, objectIn, stringIn } from '../../json-value.js';

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: readonly JsonObject[];
}

interface OpenTurn {
  readonly role: Turn['role'];
  readonly results: JsonObject[];
  readonly content: JsonObject[];
}

/** Converse wants somebody to have asked, and words beside a document. */
const NOTHING_ASKED: JsonObject = { text: '(no message)' };
const BESIDE_DOCUMENT: JsonObject = { text: '(see the document)' };

/** Messages as strictly alternating turns that begin with the user; all results of one turn's calls stand in the next, first. */
export class Turns {
  readonly #turns: OpenTurn[] = [];

  add(role: Turn['role'], blocks: readonly JsonObject[]): void {
    if (blocks.length > 0) this.#turn(role).content.push(...blocks);
  }

  addResult(blocks: readonly JsonObject[]): void {
    this.#turn('user').results.push(...blocks);
  }

  finish(): readonly Turn[] {
    const turns = this.#turns.map(({ role, results, content }) => ({
      role,
      content: withWords([...results, ...content]),
    }));
    if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [NOTHING_ASKED] });
    const last = turns.at(-1);
    return last?.role === 'assistant' ? [...turns.slice(0, -1), { ...last, content: trimmed(last.content) }] : turns;
  }

  #turn(role: Turn['role']): OpenTurn {
    const last = this.#turns.at(-1);
    if (last?.role === role) return last;
    const turn: OpenTurn = { role, results: [], content: [] };
    this.#turns.push(turn);
    return turn;
  }
}

function withWords(content: readonly JsonObject[]): readonly JsonObject[] {
  const wordless = content.some((block) => 'document' in block) && !content.some((block) => 'text' in block);
  return wordless ? [...content, BESIDE_DOCUMENT] : content;
}

/** An answer that Claude shall go on with may not end in white space. */
function trimmed(content: readonly JsonObject[]): readonly JsonObject[] {
  const last = content.at(-1);
  const text = stringIn(last, 'text');
  return text === null ? content : [...content.slice(0, -1), { text: text.trimEnd() }];
}

/** The last calls have their results, and the assistant goes on with the same answer. */
export function isInToolLoop(turns: readonly Turn[]): boolean {
  return turns.at(-1)?.content.some((block) => 'toolResult' in block) ?? false;
}

/** Claude thinks on in a tool loop only if the turn that called begins with its thoughts. */
export function callsBeginWithThoughts(turns: readonly Turn[]): boolean {
  return objectIn(turns.at(-2)?.content[0], 'reasoningContent') !== null;
}

/** Converse wants tools defined wherever the messages have calls or results. */
export function mentionTools(turns: readonly Turn[]): boolean {
  return turns.some(({ content }) => content.some((block) => 'toolUse' in block || 'toolResult' in block));
}
