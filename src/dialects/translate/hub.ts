/**
 * The hub: OpenAI chat, with a few members more. Pairs that are not adjacent are composed of two: messages → hub → gemini.
 * A front translation (`messages-to-chat`, `responses-to-chat`, `gemini-to-chat`) writes these members only when
 * `context.extended` is set, else it drops them with a loss; a back translation (`chat-to-anthropic`, `chat-to-gemini`,
 * `chat-to-bedrock`) always reads them, because apps and other gateways send them to chat endpoints too.
 *
 * Request
 * - `cache_control` (Anthropic's `{type:"ephemeral", ttl?}`) on content parts, messages and tools
 * - assistant messages: `thinking_blocks`, Anthropic's blocks as they are: `{type:"thinking", thinking, signature}`,
 *   `{type:"redacted_thinking", data}`; `reasoning_content` is the text alone
 * - `tool_calls[].extra_content.google.thought_signature`, and `extra_content.google.thought_signature` on an assistant message
 *   (Google's own names on its OpenAI endpoint)
 * - `tool` messages: `content` may hold `image_url` and `file` parts; `is_error: true`
 * - content parts `{type:"file", file:{file_data|file_url|file_id, filename}}`; `{type:"document", …}`: Anthropic's block as it is
 * - top level: `thinking` (`{type:"enabled", budget_tokens}` | `{type:"disabled"}` | `{type:"adaptive"}`), `top_k`
 *
 * Answer (message and delta)
 * - `reasoning_content`: text of thoughts; `thinking_blocks`: whole blocks with their signatures (in a stream, one delta at the
 *   end of each block, with `index`)
 * - `extra_content` as above
 * - `choices[].stop_sequence`: the sequence that ended the answer
 * - `usage.prompt_tokens_details.{cached_tokens, cache_write_tokens}`
 */
export const CACHE_CONTROL = 'cache_control';
export const THINKING_BLOCKS = 'thinking_blocks';
export const REASONING = 'reasoning_content';
export const EXTRA_CONTENT = 'extra_content';
