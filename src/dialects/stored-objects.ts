import type { Wire } from './endpoint.js';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from './json-value.js';

/**
 * What a provider keeps for an account beyond one call. All gateway keys share that account, so whoever learns an id could read
 * what another one has stored.
 */

/** Parts of paths, in lower case, below which a provider lists, reads or keeps objects. */
const COLLECTIONS: ReadonlySet<string> = new Set([
  // OpenAI and those that copy its API
  'assistants',
  'batch',
  'batches',
  'chatkit',
  'containers',
  'conversations',
  'deferred-completion',
  'evals',
  'files',
  'fine-tunes',
  'fine_tuning',
  'generation',
  'organization',
  'organizations',
  'skills',
  'threads',
  'uploads',
  'vector_stores',
  'videos',
  // Google
  'batchpredictionjobs',
  'cachedcontents',
  'corpora',
  'filesearchstores',
  'generatedfiles',
  'interactions',
  'operations',
  'tunedmodels',
  // AWS, Cohere, Mistral, Fireworks
  'agents',
  'async-invoke',
  'connectors',
  'datasets',
  'documents',
  'embed-jobs',
  'finetuning',
  'jobs',
  'libraries',
]);

/** True when a provider's own path reads, lists or keeps stored objects. Encoded letters and case make no difference. */
export function namesStoredObjects(method: string, path: string): boolean {
  const parts = decoded(path.split(/[?#]/, 1)[0] ?? '')
    .toLowerCase()
    .split(/[/\\]+/)
    .filter((part) => part !== '');
  // Google's verbs stand behind a colon.
  if (parts.some((part) => COLLECTIONS.has(part.split(':', 1)[0] ?? ''))) return true;
  const answers = parts.lastIndexOf('responses');
  if (answers >= 0) return answers < parts.length - 1 || method !== 'POST';
  // Completions that were asked for with `store: true`.
  const completions = parts.lastIndexOf('completions');
  return completions >= 0 && (completions < parts.length - 1 || method !== 'POST');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

type Finder = (body: JsonObject) => string | null;

interface Reader {
  /** A body without any of these refers to nothing. */
  readonly marks: readonly string[];
  readonly find: Finder;
}

const READERS: Readonly<Partial<Record<Wire, Reader>>> = {
  'openai-responses': {
    marks: ['"previous_response_id"', '"conversation"', '"id"', '"container"'],
    find: inResponses,
  },
  'anthropic-messages': { marks: ['"container"'], find: inMessages },
};

/** Whether bodies of this wire may refer to what a provider has stored. */
export function mayReferToStored(wire: Wire): boolean {
  return READERS[wire] !== undefined;
}

/** The field by which a request refers to what the provider has stored, else null. Parses only where one may be. */
export function storedReference(wire: Wire, body: Buffer): string | null {
  const reader = READERS[wire];
  if (reader === undefined) return null;
  if (!reader.marks.some((mark) => body.includes(mark)) && !hasEscapedLetters(body)) return null;
  const value = parseJson(body.toString());
  return isObject(value) ? reader.find(value) : null;
}

const ESCAPE = '\\u00';

/** Nobody has to escape letters: whoever does so may be hiding a name. */
function hasEscapedLetters(body: Buffer): boolean {
  for (let at = body.indexOf(ESCAPE); at >= 0; at = body.indexOf(ESCAPE, at + 1)) {
    const digit = body[at + ESCAPE.length] ?? 0;
    if (digit >= 0x34 && digit <= 0x37) return true;
  }
  return false;
}

function inResponses(body: JsonObject): string | null {
  for (const name of ['previous_response_id', 'conversation']) {
    if (body[name] !== undefined && body[name] !== null) return name;
  }
  if (listIn(body, 'input').some(isReference)) return 'input[].id';
  const inContainer = (tool: unknown): boolean => stringIn(tool, 'container') !== null;
  return listIn(body, 'tools').some(inContainer) ? 'tools[].container' : null;
}

/** `{"type":"item_reference","id":"…"}`; the type may be left out. */
function isReference(item: unknown): boolean {
  const type = stringIn(item, 'type');
  if (type !== null) return type === 'item_reference';
  return isObject(item) && item['id'] !== undefined && item['role'] === undefined;
}

function inMessages(body: JsonObject): string | null {
  const isNamed = stringIn(body, 'container') !== null || stringIn(objectIn(body, 'container'), 'id') !== null;
  return isNamed ? 'container' : null;
}
