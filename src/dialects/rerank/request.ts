import { isObject, type JsonObject } from '../json-value.js';
import type { Losses } from '../translate/losses.js';
import { takeOwnMembers } from '../translate/own-members.js';

/** A client's `/v1/rerank`, which speaks Cohere's v2 shape and takes two things of v1: objects as documents, `return_documents`. */
export interface RerankRequest {
  readonly query: string;
  readonly texts: readonly string[];
  /** What `return_documents` gives back, by index: `{text}`, or the client's own object. */
  readonly documents: readonly JsonObject[];
  /** null = all. */
  readonly most: number | null;
  readonly returnsDocuments: boolean;
  /** Members that only this target knows, under its own names. */
  readonly own: JsonObject;
}

const KNOWN: ReadonlySet<string> = new Set(['model', 'query', 'documents', 'top_n', 'return_documents']);

/** @param own names of members, beside those of `RerankRequest`, that the target takes; any other is dropped with a warning */
export function readRerankRequest(request: JsonObject, own: ReadonlySet<string>, losses: Losses): RerankRequest {
  const query = request['query'];
  const documents = documentsOf(request['documents'], losses);
  return {
    query: typeof query === 'string' ? query : losses.refuse('query', 'it is no text'),
    texts: documents.map((document) => String(document['text'])),
    documents,
    most: mostOf(request['top_n'], losses),
    returnsDocuments: request['return_documents'] === true,
    own: takeOwnMembers(request, { known: KNOWN, own }, losses),
  };
}

/** Every document as an object with its text. */
function documentsOf(documents: unknown, losses: Losses): readonly JsonObject[] {
  if (!Array.isArray(documents)) return losses.refuse('documents', 'it is no list');
  return documents.map((document: unknown) => {
    if (typeof document === 'string') return { text: document };
    if (isObject(document) && typeof document['text'] === 'string') return document;
    return losses.refuse('documents', 'a document is neither a text nor an object with one in "text"');
  });
}

function mostOf(most: unknown, losses: Losses): number | null {
  if (most === undefined || most === null) return null;
  if (typeof most === 'number' && Number.isSafeInteger(most) && most > 0) return most;
  return losses.refuse('top_n', 'it is not a whole number above 0');
}
