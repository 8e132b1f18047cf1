import { amountIn, type JsonObject, objectIn } from '../json-value.js';
import { emptyUsage, USAGE_CLASSES, type Usage } from '../usage.js';

/**
 * Usage of one response, or of one transcription, of a session; null when it states none. Cached tokens are not split by
 * kind any further: sound that comes from the cache costs what text from it does.
 * https://platform.openai.com/docs/api-reference/realtime-server-events/response/done
 */
export function realtimeUsage(stated: JsonObject | null): Usage | null {
  if (stated === null) return null;
  const seconds = stated['type'] === 'duration' ? amountIn(stated, 'seconds') : null;
  if (seconds !== null) return { ...emptyUsage(), audio_seconds: seconds };
  const [input, output] = [whole(stated, 'input_tokens'), whole(stated, 'output_tokens')];
  if (amountIn(stated, 'input_tokens') === null && amountIn(stated, 'output_tokens') === null) return null;
  const into = objectIn(stated, 'input_token_details') ?? objectIn(stated, 'input_tokens_details');
  const from = objectIn(stated, 'output_token_details') ?? objectIn(stated, 'output_tokens_details');
  const cachedOf = objectIn(into, 'cached_tokens_details');
  const cached = Math.min(whole(into, 'cached_tokens'), input);
  const fresh = input - cached;
  const audio = Math.min(uncached(into, cachedOf, 'audio_tokens'), fresh);
  const image = Math.min(uncached(into, cachedOf, 'image_tokens'), fresh - audio);
  const spoken = Math.min(whole(from, 'audio_tokens'), output);
  return {
    ...emptyUsage(),
    input: fresh - audio - image,
    cache_read: cached,
    input_audio: audio,
    input_image: image,
    output: output - spoken,
    output_audio: spoken,
  };
}

/** Class by class. */
export function addUsage(sum: Usage, more: Usage): Usage {
  const total = { ...sum };
  for (const name of USAGE_CLASSES) total[name] += more[name];
  return total;
}

function uncached(tokens: JsonObject | null, cached: JsonObject | null, kind: string): number {
  return Math.max(0, whole(tokens, kind) - whole(cached, kind));
}

function whole(from: JsonObject | null, key: string): number {
  return Math.min(Math.floor(amountIn(from, key) ?? 0), 1e12);
}
