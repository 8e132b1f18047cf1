import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { PartialCall } from './partial-call.js';

/** What a part of an answer is to a client of chat. */
export type Piece =
  | { readonly kind: 'text' | 'thought'; readonly text: string; readonly signature: string | null }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: string; readonly signature: string | null }
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'audio'; readonly data: string };

/** Reads the parts of one candidate, in order; keeps a call whose arguments come in pieces until it is whole. */
export class PieceReader {
  #open: PartialCall | null = null;

  /** @param candidate one of `candidates` */
  read(candidate: JsonObject): Piece[] {
    const pieces: Piece[] = [];
    for (const part of listIn(objectIn(candidate, 'content'), 'parts')) if (isObject(part)) this.#part(part, pieces);
    return pieces;
  }

  /** The candidate has ended: a call that was begun is all that there is. */
  end(): Piece[] {
    const open = this.#open;
    this.#open = null;
    return open === null
      ? []
      : [{ kind: 'call', name: open.name, arguments: open.arguments, signature: open.signature }];
  }

  #part(part: JsonObject, pieces: Piece[]) {
    const signature = stringIn(part, 'thoughtSignature') || null;
    const call = objectIn(part, 'functionCall');
    if (call !== null) return this.#call(call, signature, pieces);
    const media = objectIn(part, 'inlineData');
    // Pictures among thoughts are drafts.
    if (media !== null && part['thought'] !== true) pieces.push(mediaPiece(media));
    const text = stringIn(part, 'text') ?? codeText(part);
    const kind = part['thought'] === true ? 'thought' : 'text';
    if (text !== '' || signature !== null) pieces.push({ kind, text, signature });
  }

  #call(call: JsonObject, signature: string | null, pieces: Piece[]) {
    const name = stringIn(call, 'name') ?? '';
    if (name !== '') {
      pieces.push(...this.end());
      this.#open = new PartialCall(name, signature);
    }
    this.#open?.add(call);
    if (call['willContinue'] !== true) pieces.push(...this.end());
  }
}

function mediaPiece(media: JsonObject): Piece {
  const type = stringIn(media, 'mimeType') ?? '';
  const data = stringIn(media, 'data') ?? '';
  if (type.startsWith('audio/')) return { kind: 'audio', data };
  return { kind: 'image', url: `data:${type};base64,${data}` };
}

/** Code that Google ran, and what it printed, can only be shown. */
function codeText(part: JsonObject): string {
  const code = objectIn(part, 'executableCode');
  if (code !== null)
    return `\n\`\`\`${(stringIn(code, 'language') ?? '').toLowerCase()}\n${stringIn(code, 'code') ?? ''}\n\`\`\`\n`;
  const result = objectIn(part, 'codeExecutionResult');
  return result === null ? '' : `\n\`\`\`\n${stringIn(result, 'output') ?? ''}\n\`\`\`\n`;
}
