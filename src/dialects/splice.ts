import { capEdits, type OutputCap } from './output-cap.js';
import type { ByteRange, RequestFacts } from './request-facts.js';

export interface Splice {
  /** The model's name for the target; null leaves the client's. */
  readonly model: string | null;
  /** Ask for the usage chunk. Has an effect only on streams of chat/completions and completions. */
  readonly includeUsage: boolean;
  /** Bound the output; missing or null leaves the client's own bound, or none. */
  readonly outputCap?: OutputCap | null;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const ASKED = '"include_usage":true';

/** The body for one target in one piece; `body` itself when there are no edits. */
export function spliceRequest(body: Buffer, facts: RequestFacts, splice: Splice): Buffer {
  const pieces = splicePieces(body, facts, splice);
  return pieces.length === 1 ? body : Buffer.concat(pieces);
}

/** The same without a copy: views of the client's bytes, and the edits between them; only `body` itself when there are none. */
export function splicePieces(body: Buffer, facts: RequestFacts, splice: Splice): readonly Buffer[] {
  const edits: Edit[] = [];
  // New members are put in at the beginning, so that these mostly are in order.
  if (splice.includeUsage && takesStreamOptions(facts)) edits.push(...usageEdits(facts));
  if (splice.outputCap) edits.push(...capEdits(facts, splice.outputCap));
  if (splice.model !== null && splice.model !== facts.model && facts.modelRange !== null)
    edits.push(modelEdit(facts, facts.modelRange, splice.model));
  return edits.length === 0 ? [body] : applyEdits(body, edits);
}

/** A request whose usage comes only in a chunk that must be asked for. */
export function takesStreamOptions(facts: RequestFacts): boolean {
  return facts.stream && (facts.wire === 'openai-chat' || facts.wire === 'openai-completions');
}

function modelEdit(facts: RequestFacts, range: ByteRange, model: string): Edit {
  if (facts.format === 'json') return { ...range, text: JSON.stringify(model) };
  if (/[\r\n]/.test(model)) throw new RangeError('a model name with a line break cannot stand in a form');
  return { ...range, text: model };
}

function usageEdits(facts: RequestFacts): readonly Edit[] {
  if (facts.json === null || facts.includeUsage) return [];
  const { root, streamOptions, includeUsage } = facts.json;
  if (includeUsage !== null) return [{ start: includeUsage.start, end: includeUsage.end, text: 'true' }];
  // The top level is never empty here: it has at least the model.
  if (streamOptions === null) return [insert(root + 1, `"stream_options":{${ASKED}},`)];
  if (streamOptions.kind !== 'object') {
    return [{ start: streamOptions.start, end: streamOptions.end, text: `{${ASKED}}` }];
  }
  return [insert(streamOptions.start + 1, streamOptions.empty ? ASKED : `${ASKED},`)];
}

function insert(at: number, text: string): Edit {
  return { start: at, end: at, text };
}

function inOrder(edits: readonly Edit[]): readonly Edit[] {
  let before = 0;
  for (const { start } of edits) {
    if (start < before) return edits.toSorted((one, other) => one.start - other.start);
    before = start;
  }
  return edits;
}

function applyEdits(body: Buffer, edits: readonly Edit[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const edit of inOrder(edits)) {
    pieces.push(body.subarray(at, edit.start), Buffer.from(edit.text));
    at = edit.end;
  }
  pieces.push(body.subarray(at));
  return pieces;
}
