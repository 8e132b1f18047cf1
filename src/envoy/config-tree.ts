/** Reading of configuration that somebody else wrote: every step may be missing, nothing throws. */
export type Tree = unknown;

/** The value at a path of keys, undefined where it ends early. */
export function at(tree: Tree, ...path: readonly string[]): Tree {
  return path.reduce<Tree>((node, key) => (isMap(node) ? node[key] : undefined), tree);
}

/** A list's items; empty for anything else. */
export function items(tree: Tree): readonly Tree[] {
  return Array.isArray(tree) ? tree : [];
}

/** True when a message of this type (its last name) is configured in `typed_config` or is the node itself. */
export function hasType(tree: Tree, name: string): boolean {
  const type = at(tree, 'typed_config', '@type') ?? at(tree, '@type');
  return typeof type === 'string' && type.endsWith(`.${name}`);
}

/** Every map in the tree, at any depth, that the condition holds for. */
export function findAll(tree: Tree, condition: (node: Tree) => boolean): readonly Tree[] {
  const below = Array.isArray(tree) ? tree : isMap(tree) ? Object.values(tree) : [];
  const own = isMap(tree) && condition(tree) ? [tree] : [];
  return [...own, ...below.flatMap((node) => findAll(node, condition))];
}

/** True when `tree` has at least everything that `wanted` has; items of lists in any order. */
export function covers(tree: Tree, wanted: Tree): boolean {
  if (Array.isArray(wanted)) return wanted.every((item) => items(tree).some((candidate) => covers(candidate, item)));
  if (isMap(wanted)) return Object.entries(wanted).every(([key, value]) => covers(at(tree, key), value));
  return tree === wanted;
}

function isMap(tree: Tree): tree is Readonly<Record<string, Tree>> {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}
