import type { RequestContent } from '../../dialects/request-content.js';

/** Up to here every text is counted; of more, three blocks stand for the rest. */
const COUNTED_BYTES = 16 * 1024;
const BLOCK_BYTES = 5 * 1024;

export interface InputTexts {
  readonly texts: readonly string[];
  /** How often they go into all the text of the request: 1 when they are all of it. */
  readonly weight: number;
}

/** The texts that are worth counting: all of a usual request, the first, the middle and the last block of a long one. */
export function inputTexts(body: Buffer, content: RequestContent): InputTexts {
  const places = content.texts;
  let kept = 0;
  for (let at = 0; at < places.length; at += 2) kept += (places[at + 1] ?? 0) - (places[at] ?? 0);
  if (kept <= COUNTED_BYTES)
    return { texts: textsIn(body, places, { from: 0, to: kept }), weight: weight(content, kept) };
  const middle = (kept - BLOCK_BYTES) >> 1;
  const texts = [0, middle, kept - BLOCK_BYTES].flatMap((from) =>
    textsIn(body, places, { from, to: from + BLOCK_BYTES }),
  );
  return { texts, weight: weight(content, 3 * BLOCK_BYTES) };
}

/** Bytes that were not looked at are taken for text: their share is not known. */
function weight(content: RequestContent, sampled: number): number {
  return sampled === 0 ? 1 : (content.textBytes + content.unread) / sampled;
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
