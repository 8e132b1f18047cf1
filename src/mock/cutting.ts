/** How a replayed body is handed to the network. */
export type Cutting = 'whole' | 'bytes' | 'seams';

export const CUTTINGS: readonly Cutting[] = ['whole', 'bytes', 'seams'];

export interface Piece {
  readonly bytes: Buffer;
  /** Wait for a turn of the event loop after it, so that it travels alone. */
  readonly alone: boolean;
}

/** At most so many pieces travel alone at each end of a body and at its seams: enough to hit every state of a parser. */
const ALONE = 250;

/** Cuts a body: in one piece, in single bytes, or inside characters, line ends and the words that readers look for. */
export function pieced(body: Buffer, cutting: Cutting): Piece[] {
  if (cutting === 'whole' || body.length === 0) return [{ bytes: body, alone: true }];
  return cutting === 'bytes' ? singleBytes(body) : atSeams(body);
}

function singleBytes(body: Buffer): Piece[] {
  return Array.from(body, (_, at) => ({
    bytes: body.subarray(at, at + 1),
    alone: at < ALONE || at >= body.length - ALONE || at % 256 === 0,
  }));
}

function atSeams(body: Buffer): Piece[] {
  const cuts = seamsOf(body);
  const found: Piece[] = [];
  let from = 0;
  for (const [index, cut] of [...cuts, body.length].entries()) {
    const alone = index < ALONE || index >= cuts.length - ALONE;
    if (cut > from) found.push({ bytes: body.subarray(from, cut), alone });
    from = cut;
  }
  return found;
}

/** Every offset inside a multi-byte character or a line end, and one inside each `"usage"`, `[DONE]` and `data:`. */
function seamsOf(body: Buffer): number[] {
  const cuts = new Set<number>();
  for (let at = 1; at < body.length; at++) {
    const byte = body[at] ?? 0;
    const before = body[at - 1] ?? 0;
    if ((byte & 0xc0) === 0x80 || (before === 0x0d && byte === 0x0a) || (before === 0x0a && byte <= 0x0d)) cuts.add(at);
  }
  for (const word of ['"usage"', '[DONE]', 'data:', '"choices"', '\\u']) {
    for (let at = body.indexOf(word); at >= 0; at = body.indexOf(word, at + 1))
      cuts.add(at + 1 + (at % (word.length - 1)));
  }
  return [...cuts].sort((a, b) => a - b);
}
