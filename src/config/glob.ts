/** True when the whole name fits. */
export type Matcher = (name: string) => boolean;

/**
 * Globs as in `keys[].models`: `*` stands for any characters, also `/`; everything else is itself; case-sensitive.
 * Pieces are found from left to right without ever going back, so a hostile pattern or name costs no more than a search.
 * An empty list allows nothing.
 */
export function compileGlobs(globs: readonly string[]): Matcher {
  const exact = new Set(globs.filter((glob) => !glob.includes('*')));
  const patterns = globs.filter((glob) => glob.includes('*')).map(compileGlob);
  return (name) => exact.has(name) || patterns.some((matches) => matches(name));
}

/** One of them. */
export function compileGlob(glob: string): Matcher {
  if (!glob.includes('*')) return (name) => name === glob;
  const pieces = glob.split('*');
  const prefix = pieces[0] ?? '';
  const suffix = pieces.at(-1) ?? '';
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  const shortest = prefix.length + suffix.length;
  return (name) => {
    if (name.length < shortest || !name.startsWith(prefix) || !name.endsWith(suffix)) return false;
    const end = name.length - suffix.length;
    let from = prefix.length;
    for (const piece of middle) {
      const at = name.indexOf(piece, from);
      if (at < 0 || at + piece.length > end) return false;
      from = at + piece.length;
    }
    return true;
  };
}
