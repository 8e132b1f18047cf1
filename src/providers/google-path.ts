import type { UpstreamCall } from './kind.js';

/**
 * `{model}:verb?query` below `models/` of the Gemini API or of a publisher on Vertex AI. A client that streams in Google's own
 * dialect without `alt=sse` gets the array that it asked for.
 */
export function generatePath({ endpoint, model, stream }: UpstreamCall): string {
  const verb = stream ? 'streamGenerateContent' : 'generateContent';
  const sse = stream && (endpoint.named?.sse ?? true);
  return `${modelSegment(model)}:${verb}${sse ? '?alt=sse' : ''}`;
}

/** One segment, whatever the client asked for: a model named `..` must not climb out of `models/`. */
export function modelSegment(model: string): string {
  if (/^\.{1,2}$/.test(model)) return model.replaceAll('.', '%252E');
  // Versions of Claude stand behind an `@`.
  return encodeURIComponent(model.replace(/\p{Cs}/gu, '\ufffd')).replaceAll('%40', '@');
}
