/**
 * Whether `wanted` stands in `bytes` at `at`. For a few hundred bytes a loop is done before `Buffer.compare` has checked its
 * arguments.
 */
export function hasAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  if (at + wanted.length > bytes.length) return false;
  for (let index = 0; index < wanted.length; index += 1) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}
