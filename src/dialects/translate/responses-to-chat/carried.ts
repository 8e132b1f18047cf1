import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../json-value.js';

/**
 * What a provider must get back in the next turn and a client of Responses has no place for: Anthropic's blocks of thoughts with
 * their signatures, Google's signatures of calls and of texts. It travels in `encrypted_content` of reasoning items, which clients
 * return as they got them, as base64url of JSON behind a tag of ours. What others put there cannot be read and means nothing here.
 */
export interface Carried {
  /** Anthropic's blocks as they are. */
  readonly blocks: readonly JsonObject[];
  /** `extra_content` of the message. */
  readonly extra: JsonObject | null;
  /** `extra_content` of calls, by the call's id. */
  readonly calls: ReadonlyMap<string, JsonObject>;
}

/** Version 1. Another form gets another tag, so that old ones are still told apart. */
const TAG = 'tg1.';

export const NOTHING_CARRIED: Carried = { blocks: [], extra: null, calls: new Map() };

/** Never empty: clients that keep no state on the server return only items of reasoning that have something sealed. */
export function sealCarried({ blocks, extra, calls }: Carried): string {
  const content = {
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(extra === null ? {} : { extra }),
    ...(calls.size === 0 ? {} : { calls: [...calls].map(([id, of]) => ({ id, extra: of })) }),
  };
  return TAG + Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** Reads what a client returned. It may have been changed on the way, so only what has the right form is taken. */
export function openCarried(sealed: string | null): Carried {
  if (sealed === null || !sealed.startsWith(TAG)) return NOTHING_CARRIED;
  const content = parseJson(Buffer.from(sealed.slice(TAG.length), 'base64url').toString());
  const calls = new Map<string, JsonObject>();
  for (const call of listIn(content, 'calls')) {
    const extra = signatureIn(objectIn(call, 'extra'));
    if (extra !== null) calls.set(stringIn(call, 'id') ?? '', extra);
  }
  return {
    blocks: listIn(content, 'blocks').filter(isObject).flatMap(blockIn),
    extra: signatureIn(objectIn(content, 'extra')),
    calls,
  };
}

function blockIn(block: JsonObject): readonly JsonObject[] {
  const type = stringIn(block, 'type');
  const data = stringIn(block, 'data');
  if (type === 'redacted_thinking' && data !== null) return [{ type, data }];
  const thinking = stringIn(block, 'thinking');
  const signature = stringIn(block, 'signature');
  return type === 'thinking' && thinking !== null && signature !== null ? [{ type, thinking, signature }] : [];
}

function signatureIn(extra: JsonObject | null): JsonObject | null {
  const signature = stringIn(objectIn(extra, 'google'), 'thought_signature');
  return signature === null ? null : { google: { thought_signature: signature } };
}
