import { type Path, pathText } from './problem.js';
import { inputSchema, type SchemaNode } from './schema.js';

/** More places than this are no help. */
const MOST_PLACES = 2;
/** A longer list hides more than it tells. */
const MOST_KNOWN = 14;

/** Names of the settings that are known below a path. */
export function settingsAt(path: Path): readonly string[] {
  return nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {}));
}

/** What other gateways call a setting of ours, or where a reader of their manuals looks for it. */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  address: ['listen'],
  api_base: ['base_url'],
  api_key: ['credentials', 'secret'],
  apikey: ['credentials', 'secret'],
  budget: ['cost'],
  condition: ['when'],
  duration: ['window'],
  endpoint: ['base_url'],
  fallback: ['targets'],
  fallbacks: ['targets'],
  group_by: ['per'],
  host: ['listen'],
  if: ['when'],
  interval: ['window'],
  limit: ['max'],
  match: ['when'],
  max_budget: ['cost'],
  max_parallel_requests: ['concurrent'],
  max_retries: ['attempts'],
  name: ['id'],
  num_retries: ['attempts'],
  on_status_codes: ['on'],
  period: ['window'],
  port: ['listen'],
  provider: ['kind'],
  routing_strategy: ['balance'],
  rpm: ['requests'],
  rpm_limit: ['requests'],
  strategy: ['balance'],
  timeout: ['response'],
  tpm: ['tokens'],
  tpm_limit: ['tokens'],
  type: ['kind'],
  url: ['base_url'],
};

/** `; did you mean "x"?` for a word that others use for a setting known beside it or in a group there. */
export function inOurWords(path: Path): string {
  if (path.length === 1 && path[0] === 'model_list') {
    return ': this is a LiteLLM configuration; "tollgate import --from litellm FILE" turns it into ours';
  }
  const place = otherWords(path).flatMap((word) => placesOf(word, path.slice(0, -1)))[0];
  return place === undefined ? '' : `; did you mean "${pathText(place)}"?`;
}

/** For clocks and retries, which belong to models here and elsewhere to everything or to a provider. */
export function inModels(path: Path): string {
  const words = [String(path.at(-1)), ...otherWords(path)];
  const place = words.flatMap((word) => placesOf(word, ['models', ANY_NAME]))[0];
  return place === undefined ? '' : `; did you mean "${place.join('.')}"?`;
}

function otherWords(path: Path): readonly string[] {
  const key = String(path.at(-1)).toLowerCase();
  return Object.hasOwn(OTHER_WORDS, key) ? (OTHER_WORDS[key] ?? []) : [];
}

const ANY_NAME = '<name>';

/** `; known here are …`, or nothing where too much is known. */
export function knownHere(path: Path): string {
  const known = settingsAt(path);
  return known.length === 0 || known.length > MOST_KNOWN ? '' : `; known here are ${known.join(', ')}`;
}

/** `; did you mean "x.y"?` for a setting that exists in a group nearby, or further up; otherwise nothing. */
export function elsewhere(path: Path): string {
  const key = String(path.at(-1));
  // From below a section the other sections are too far away.
  const highest = Math.min(1, path.length - 1);
  for (let depth = path.length - 1; depth >= highest; depth--) {
    const places = placesOf(key, path.slice(0, depth)).map((place) => `"${pathText(place)}"`);
    if (places.length > MOST_PLACES) return '';
    if (places.length > 0) return `; did you mean ${places.join(' or ')}?`;
  }
  return '';
}

/** Where `key` is known: at the path itself, or in one of the groups there. */
function placesOf(key: string, path: Path): readonly Path[] {
  if (settingsAt(path).includes(key)) return [[...path, key]];
  const groups = nodesAt(path).flatMap((node) => Object.entries(node.properties ?? {}));
  return groups.filter(([, group]) => Object.hasOwn(group.properties ?? {}, key)).map(([name]) => [...path, name, key]);
}

let schemaOnce: SchemaNode | null = null;

function nodesAt(path: Path): readonly SchemaNode[] {
  schemaOnce ??= inputSchema();
  let nodes: readonly SchemaNode[] = readings(schemaOnce);
  for (const part of path) nodes = nodes.flatMap((node) => child(node, part)).flatMap(readings);
  return nodes;
}

function readings(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(readings);
}

function child(node: SchemaNode, part: string | number): readonly SchemaNode[] {
  const { additionalProperties } = node;
  const property =
    typeof part === 'number' ? node.items : Object.entries(node.properties ?? {}).find(([name]) => name === part)?.[1];
  if (property !== undefined) return [property];
  return typeof additionalProperties === 'object' ? [additionalProperties] : [];
}
