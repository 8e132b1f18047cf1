/**
 * Whether `wanted` stands in `bytes` at `at`. For a few hundred bytes a loop is done before `Buffer.compare` has checked its
 * arguments.
 */
export function hasAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  const { length } = wanted;
  if (at + length > bytes.length) return false;
  let same = 0;
  while (same < length && bytes[at + same] === wanted[same]) same += 1;
  return same === length;
}
