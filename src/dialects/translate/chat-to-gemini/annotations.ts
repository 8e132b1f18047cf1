import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';

/** Above this the places are not worth their work. */
const MAX_TEXT = 256 * 1024;
const MAX_CITATIONS = 500;

/**
 * The sources that grounding names, as OpenAI's `url_citation`s.
 * @param text all text of the candidate; Google counts places in its UTF-8 bytes
 */
export function writeAnnotations(candidate: JsonObject, text: string): JsonObject[] {
  const grounding = objectIn(candidate, 'groundingMetadata');
  const chunks = listIn(grounding, 'groundingChunks');
  if (chunks.length === 0 || text.length > MAX_TEXT) return [];
  const bytes = Buffer.from(text);
  const citations = listIn(grounding, 'groundingSupports')
    .filter(isObject)
    .flatMap((support) => {
      const segment = objectIn(support, 'segment');
      const places = {
        start_index: placeOf(bytes, segment, 'startIndex'),
        end_index: placeOf(bytes, segment, 'endIndex'),
      };
      return listIn(support, 'groundingChunkIndices').map((index) => citation(chunks[Number(index)], places));
    });
  return citations.filter(isObject).slice(0, MAX_CITATIONS);
}

function citation(chunk: unknown, places: JsonObject): JsonObject | null {
  const source = objectIn(chunk, 'web') ?? objectIn(chunk, 'maps') ?? objectIn(chunk, 'retrievedContext');
  const url = stringIn(source, 'uri');
  if (url === null) return null;
  return { type: 'url_citation', url_citation: { ...places, url, title: stringIn(source, 'title') ?? '' } };
}

function placeOf(bytes: Buffer, segment: JsonObject | null, key: string): number {
  const offset = segment?.[key];
  return typeof offset === 'number' && offset > 0 ? bytes.toString('utf8', 0, offset).length : 0;
}
