/**
 * Whether Vertex serves this embedding model by `:embedContent`, one text per call, and not by `:predict`: all Gemini models
 * after the first (Google's own client decides the same way).
 */
export function embedsContent(model: string): boolean {
  return /(?:^|\/)gemini-embedding-(?!001(?!\d))/.test(model);
}
