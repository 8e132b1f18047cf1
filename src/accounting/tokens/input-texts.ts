import type { Literals } from '../../dialects/content-shape.js';

export interface InputTexts {
  readonly texts: readonly string[];
  /** How often they go into all that they stand for: 1 when they are all of it. */
  readonly weight: number;
}

export interface Sampling {
  /** Up to so many bytes every text is counted; of more, three blocks of a third each stand for the rest. */
  readonly bytes: number;
  /** Bytes that nobody looked at and that are taken for more of the same. */
  readonly unread: number;
}

/** The texts that are worth counting: all of a usual request, the first, the middle and the last block of a long one. */
export function inputTexts(
  body: Buffer,
  { places, bytes }: Literals,
  { bytes: counted, unread }: Sampling,
): InputTexts {
  let kept = 0;
  for (let at = 0; at < places.length; at += 2) kept += (places[at + 1] ?? 0) - (places[at] ?? 0);
  const all = bytes + unread;
  if (kept <= counted) return { texts: textsIn(body, places, { from: 0, to: kept }), weight: weight(all, kept) };
  const block = Math.floor(counted / 3);
  const middle = (kept - block) >> 1;
  const texts = [0, middle, kept - block].flatMap((from) => textsIn(body, places, { from, to: from + block }));
  return { texts, weight: weight(all, 3 * block) };
}

function weight(all: number, sampled: number): number {
  return sampled === 0 ? 1 : all / sampled;
}

/** Bytes of all texts, put one behind the other. */
interface Window {
  readonly from: number;
  readonly to: number;
}

function textsIn(body: Buffer, places: readonly number[], { from, to }: Window): string[] {
  const texts: string[] = [];
  let passed = 0;
  for (let at = 0; at < places.length && passed < to; at += 2) {
    const start = places[at] ?? 0;
    const length = (places[at + 1] ?? 0) - start;
    const first = Math.max(0, from - passed);
    const last = Math.min(length, to - passed);
    if (first < last) texts.push(unescaped(body.toString('utf8', start + first, start + last)));
    passed += length;
  }
  return texts;
}

/** A literal that was cut inside an escape, and definitions of tools, are counted as they are written. */
function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}
