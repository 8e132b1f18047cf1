import { isObject, type JsonObject, listIn, objectIn } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage, type UsageClass } from '../usage.js';

/** Modalities that are priced by themselves; the rest is `input`. */
const CLASSES: Readonly<Record<string, UsageClass>> = { IMAGE: 'input_image', AUDIO: 'input_audio' };

/** `usageMetadata` of `embedContent` and `batchEmbedContents`; models before gemini-embedding-2 state none. */
export function geminiEmbedUsage(body: JsonObject): Usage | null {
  const stated = objectIn(body, 'usageMetadata');
  const tokens = statedAmount(stated, 'promptTokenCount') ?? statedAmount(stated, 'totalTokenCount');
  if (tokens === null) return null;
  const usage = { ...emptyUsage(), input: tokens };
  // Google's two APIs spell it differently.
  for (const detail of [...listIn(stated, 'promptTokensDetails'), ...listIn(stated, 'promptTokenDetails')]) {
    const modality = isObject(detail) ? String(detail['modality']) : '';
    const into = Object.hasOwn(CLASSES, modality) ? CLASSES[modality] : undefined;
    if (into === undefined) continue;
    const part = Math.min(statedAmount(detail, 'tokenCount') ?? 0, usage.input);
    usage[into] += part;
    usage.input -= part;
  }
  return usage;
}
