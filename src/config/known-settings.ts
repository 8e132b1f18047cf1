import { type Path, pathText } from './problem.js';
import { inputSchema, type SchemaNode } from './schema.js';

/** More places than this are no help. */
const MOST_PLACES = 2;

/** Names of the settings that are known below a path. */
export function settingsAt(path: Path): readonly string[] {
  return nodesAt(path).flatMap((node) => Object.keys(node.properties ?? {}));
}

/** `; did you mean "x.y"?` for a setting that exists in a group nearby, or further up; otherwise nothing. */
export function elsewhere(path: Path): string {
  const key = String(path.at(-1));
  for (let depth = path.length - 1; depth >= 0; depth--) {
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
