import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type Scalar } from 'yaml';
import { deepNesting } from './nesting.js';
import type { Mistake, Path } from './problem.js';
import type { References } from './references.js';
import { yamlMistakes } from './yaml-mistakes.js';

/** A configuration as plain objects, lists and scalars, with the place in the text of each of them. */
export interface Tree {
  /** Objects have no prototype. `undefined` stands for a value whose reference could not be resolved. */
  readonly raw: unknown;
  readonly mistakes: readonly Mistake[];
  /** True when the text is no usable YAML: `raw` is then not worth validating. */
  readonly broken: boolean;
  /** Line and column, both from 1; the nearest enclosing place when the path itself is not in the text. */
  locate(mistake: Mistake): { readonly line: number; readonly column: number };
  /** True when the value came from a variable or a file that could not be resolved: already reported. */
  isUnresolved(path: Path): boolean;
}

interface Place {
  readonly key: number;
  readonly value: number;
}

const DEEPEST = 32;
const MOST_ALIASED = 10_000;

/** These settings want the path of a file, not what is in it. */
const PATH_SETTINGS: ReadonlySet<string> = new Set(['gateway.tls.certificate', 'gateway.tls.key']);

/** Parses YAML 1.2 (core schema) and resolves references on the way. Never throws. */
export function readTree(text: string, references: References): Tree {
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const;
  const deep = deepNesting(text);
  // Without the text the positions of its lines are still needed.
  const document = parseDocument(deep === null ? text : text.slice(0, deep.offset).replace(/[^\n]/g, ' '), options);
  const syntax = deep === null ? yamlMistakes(text, [...document.errors, ...document.warnings]) : [deep];
  const walk = new TreeWalk(references);
  const raw = walk.visit({ node: document.contents, path: [], depth: 0, key: 0, aliased: false });
  const locate = (mistake: Mistake) => {
    const { line, col } = lines.linePos(mistake.offset ?? walk.offset(mistake.path, mistake.at));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    raw: raw === null ? Object.create(null) : raw,
    mistakes: [...syntax, ...walk.mistakes],
    broken: syntax.length > 0 || walk.exhausted,
    locate,
    isUnresolved: (path) => walk.unresolved.has(pathKey(path)),
  };
}

function pathKey(path: Path): string {
  return JSON.stringify(path);
}

interface Visit {
  readonly node: Node | null;
  readonly path: Path;
  readonly depth: number;
  /** Offset of the key, or of the value where there is no key. */
  readonly key: number;
  /** Inside an alias: what is read there counts towards the bound on expansion. */
  readonly aliased: boolean;
}

class TreeWalk {
  readonly places = new Map<string, Place>();
  readonly unresolved = new Set<string>();
  readonly mistakes: Mistake[] = [];
  exhausted = false;
  readonly #references: References;
  readonly #anchors = new Map<string, Node>();
  #aliasedNodes = 0;

  constructor(references: References) {
    this.#references = references;
  }

  offset(path: Path, side: 'key' | 'value'): number {
    for (let length = path.length; length >= 0; length--) {
      const place = this.places.get(pathKey(path.slice(0, length)));
      // An enclosing place is a map or list: its key says more than the first thing in it.
      if (place !== undefined) return length === path.length ? place[side] : place.key;
    }
    return 0;
  }

  visit(visit: Visit): unknown {
    const { node, path, depth } = visit;
    const start = node?.range?.[0] ?? visit.key;
    this.places.set(pathKey(path), { key: visit.key, value: start });
    if (node === null || this.exhausted) return null;
    if (depth > DEEPEST) return this.#exhaust(visit, `nested more than ${DEEPEST} levels deep`);
    if (visit.aliased && ++this.#aliasedNodes > MOST_ALIASED) {
      return this.#exhaust(visit, `aliases expand to more than ${MOST_ALIASED} values`);
    }
    if (isAlias(node)) return this.#alias(node.source, visit);
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (typeof anchor === 'string') this.#anchors.set(anchor, node);
    if (isScalar(node)) return this.#scalar(node, path);
    if (isSeq(node)) return node.items.map((item, index) => this.#item(item as Node | null, index, visit));
    if (isMap(node)) return this.#map(node.items as Pair<unknown, unknown>[], visit);
    return null;
  }

  /** The beginning of the path says enough: the rest is the same thing over and over. */
  #exhaust({ node, path, key }: Visit, message: string): null {
    this.exhausted = true;
    const offset = node?.range?.[0] ?? key;
    this.mistakes.push({ path: path.slice(0, 3), at: 'value', message, offset });
    return null;
  }

  #report(path: Path, message: string): void {
    this.mistakes.push({ path, at: 'value', message });
  }

  #alias(name: string, visit: Visit): unknown {
    const node = this.#anchors.get(name);
    // The name is not repeated: an unquoted secret that begins with `*` looks like an alias.
    if (node === undefined) {
      this.#report(
        visit.path,
        'an alias to an anchor that is not defined before it; put text that begins with * in quotes',
      );
      this.unresolved.add(pathKey(visit.path));
      return undefined;
    }
    return this.visit({ ...visit, node, depth: visit.depth + 1, aliased: true });
  }

  #item(node: Node | null, index: number, visit: Visit): unknown {
    const key = node?.range?.[0] ?? visit.node?.range?.[0] ?? visit.key;
    return this.visit({ ...visit, node, path: [...visit.path, index], depth: visit.depth + 1, key });
  }

  #map(pairs: readonly Pair<unknown, unknown>[], visit: Visit): unknown {
    const map: Record<string, unknown> = Object.create(null);
    for (const pair of pairs) {
      const key = isScalar(pair.key) ? keyText(pair.key) : null;
      const offset = (pair.key as Node | null)?.range?.[0] ?? visit.key;
      const path = [...visit.path, key ?? '?'];
      const message =
        key !== null && key in map ? 'this key is already there; each key may occur once' : unusableKey(key);
      if (key === null || message !== null) {
        this.mistakes.push({ path, at: 'key', message: message ?? '', offset });
        continue;
      }
      const node = pair.value as Node | null;
      map[key] = this.visit({ ...visit, node, path, depth: visit.depth + 1, key: offset });
    }
    return map;
  }

  #scalar(node: Scalar, path: Path): unknown {
    const { value } = node;
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
    const text = typeof value === 'string' ? value : (node.source ?? '');
    if (!text.includes('${') && !text.startsWith('file:')) return text;
    const resolved = this.#references.resolve(text, PATH_SETTINGS.has(path.join('.')));
    if ('value' in resolved) return resolved.value;
    this.#report(path, resolved.message);
    this.unresolved.add(pathKey(path));
    return undefined;
  }
}

function unusableKey(key: string | null): string | null {
  if (key === '<<') return 'merge keys (<<) are not supported; repeat the settings';
  return key === null || key === '__proto__' ? 'not usable as a key' : null;
}

function keyText(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}
