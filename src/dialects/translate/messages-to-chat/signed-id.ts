import { type JsonObject, objectIn, stringIn } from '../../json-value.js';

/**
 * Gemini 3 refuses a call of a function that comes back without its thought signature, and Anthropic's dialect has no place for
 * it on a call. Clients return ids as they are, so the signature travels behind the id, in the characters that ids may have.
 */
const BASE64_MARK = '__gsb_';
const TEXT_MARK = '__gst_';

export interface SignedId {
  readonly id: string;
  /** Google's signature of the thought behind the call; null = none. */
  readonly signature: string | null;
}

/** @param extra `extra_content` of a call in the hub */
export function signedId(id: string, extra: JsonObject | null): string {
  const signature = stringIn(objectIn(extra, 'google'), 'thought_signature') ?? '';
  if (signature === '') return id;
  const bytes = Buffer.from(signature, 'base64');
  if (bytes.toString('base64') === signature) return id + BASE64_MARK + bytes.toString('base64url');
  return id + TEXT_MARK + Buffer.from(signature).toString('base64url');
}

export function splitId(signed: string): SignedId {
  for (const mark of [BASE64_MARK, TEXT_MARK]) {
    const at = signed.indexOf(mark);
    if (at < 0) continue;
    const bytes = Buffer.from(signed.slice(at + mark.length), 'base64url');
    return { id: signed.slice(0, at), signature: bytes.toString(mark === BASE64_MARK ? 'base64' : 'utf8') };
  }
  return { id: signed, signature: null };
}
