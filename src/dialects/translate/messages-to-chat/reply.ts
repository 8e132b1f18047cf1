import type { JsonObject } from '../../json-value.js';
import { type Finish, readFinish } from '../../openai-chat/finish.js';
import { normaliseUsage } from '../../openai-usage.js';
import { anthropicUsage } from '../../stated-usage.js';
import type { TranslationContext } from '../translation.js';
import { signedId } from './signed-id.js';

/** What the answer to a request must know of it. */
export interface Reply {
  readonly context: TranslationContext;
  /** The client's name for each tool whose name was shortened. */
  readonly names: ReadonlyMap<string, string>;
  readonly stopSequences: readonly unknown[];
  /** Thoughts without a signature are shown. Those with one always are: the provider wants them back. */
  readonly showsThoughts: boolean;
}

const BYTES_PER_TOKEN = 4;

/** A message as it begins: without content and end. */
export function messageHead({ context }: Reply, model: string, usage: JsonObject): JsonObject {
  return {
    id: `msg_${idBase(context)}`,
    type: 'message',
    role: 'assistant',
    model: model === '' ? context.model : model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
}

function idBase(context: TranslationContext): string {
  return context.id.replace(/[^A-Za-z0-9]/g, '');
}

/** Usage of one answer: the provider's last numbers, field by field, else what can be told from the outside. */
export class AnswerUsage {
  readonly #context: TranslationContext;
  #stated: JsonObject | null = null;
  #bytes = 0;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  take(usage: JsonObject | null): void {
    if (usage === null) return;
    const news = Object.entries(usage).filter(([, value]) => value !== null);
    this.#stated = { ...this.#stated, ...Object.fromEntries(news) };
  }

  /** Content that passes, for providers that state no usage. */
  count(text: string): void {
    this.#bytes += Buffer.byteLength(text);
  }

  /** As the first event of a stream states it: Claude Code's meter of its context takes the input from there. */
  atStart(): JsonObject {
    return { ...this.now(), output_tokens: 1 };
  }

  now(): JsonObject {
    const usage = this.#stated === null ? null : normaliseUsage(this.#stated);
    if (usage !== null) return anthropicUsage(usage);
    return {
      input_tokens: Math.max(1, Math.ceil(this.#context.inputTokens)),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: Math.ceil(this.#bytes / BYTES_PER_TOKEN),
    };
  }
}

/** Ids of calls as the client sees them: never empty, never twice in one answer. */
export class CallIds {
  readonly #base: string;
  readonly #used = new Set<string>();

  constructor(context: TranslationContext) {
    this.#base = `toolu_${idBase(context)}`;
  }

  idOf(stated: string, extra: JsonObject | null): string {
    const id = stated === '' || this.#used.has(stated) ? `${this.#base}${this.#used.size}` : stated;
    this.#used.add(id);
    return signedId(id, extra);
  }
}

/** How an answer ended. */
export interface Ending {
  /** The provider's word. */
  readonly finish: string | null;
  readonly stopSequence: string | null;
  readonly calls: boolean;
  /** The model declined, in words of its own. */
  readonly refused: boolean;
}

const REASONS: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  // An answer that broke off is cut, not complete.
  error: 'max_tokens',
};

export function stopMembers({ finish, stopSequence, calls, refused }: Ending, { stopSequences }: Reply): JsonObject {
  const word = readFinish(finish, calls);
  // "Now run the tools" would be a lie where there are none.
  const reason = word === 'tool_calls' && !calls ? 'stop' : word;
  if (reason !== 'stop') return { stop_reason: REASONS[reason], stop_sequence: null };
  if (stopSequence !== null && stopSequences.includes(stopSequence)) {
    return { stop_reason: 'stop_sequence', stop_sequence: stopSequence };
  }
  return { stop_reason: refused ? 'refusal' : REASONS.stop, stop_sequence: null };
}
