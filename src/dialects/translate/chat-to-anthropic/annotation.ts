import { type JsonObject, stringIn } from '../../json-value.js';

interface Place {
  /** Characters of the content before and after the text that is cited. */
  readonly start: number;
  readonly end: number;
}

/** A citation of a page of the web as OpenAI has it; null for all others (places in documents have no address). */
export function annotation(citation: unknown, { start, end }: Place): JsonObject | null {
  const url = stringIn(citation, 'url');
  if (url === null) return null;
  const title = stringIn(citation, 'title') ?? '';
  return { type: 'url_citation', url_citation: { url, title, start_index: start, end_index: end } };
}
