/** A glob over `provider/model`; `*` spans `/`, as in a key's `models`. */
export function targetGlob(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
