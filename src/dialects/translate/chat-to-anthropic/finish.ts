/** OpenAI's word for why an answer ended. https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const FINISH: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  compaction: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content_filter',
};

interface Outcome {
  readonly stopReason: string | null;
  /** The client must run a tool. */
  readonly called: boolean;
  readonly legacyFunctions: boolean;
}

export function finishReason({ stopReason, called, legacyFunctions }: Outcome): string {
  const known = Object.hasOwn(FINISH, stopReason ?? '') ? FINISH[stopReason ?? ''] : undefined;
  // Providers that imitate this dialect do not always say that they wait for a tool; and a call of our own tool is an answer.
  const reason =
    known === undefined || known === 'stop' || known === 'tool_calls' ? (called ? 'tool_calls' : 'stop') : known;
  return reason === 'tool_calls' && legacyFunctions ? 'function_call' : reason;
}
