export type MediaKind = 'image' | 'audio' | 'video' | 'file';

/**
 * What a member at the top of a body holds: `messages` are counted one by one, `system` is text without a frame of its own,
 * `definitions` are read as they are written, of `settings` only the schemas in them.
 */
export type TopKey = 'messages' | 'system' | 'definitions' | 'settings';

/** Members of the body that the model reads; whatever is not in here (`model`, `user`, `metadata`, `stop`…) costs nothing. */
export const TOP_KEYS: ReadonlyMap<string, TopKey> = new Map([
  ['messages', 'messages'],
  ['input', 'messages'],
  ['prompt', 'messages'],
  ['suffix', 'messages'],
  ['contents', 'messages'],
  ['query', 'messages'],
  ['documents', 'messages'],
  ['instructions', 'system'],
  ['system', 'system'],
  ['systemInstruction', 'system'],
  ['system_instruction', 'system'],
  ['tools', 'definitions'],
  ['functions', 'definitions'],
  ['response_format', 'definitions'],
  ['text', 'definitions'],
  ['output_format', 'definitions'],
  ['output_config', 'settings'],
  ['toolConfig', 'settings'],
]);

/** Members of settings that the model reads. Google does not count the schemas of answers. */
export const SCHEMA_KEYS: ReadonlySet<string> = new Set(['format', 'tools']);

/** Values that say how the text is to be read: they are in the few tokens of each item. */
export const STRUCTURE: ReadonlySet<string> = new Set(
  `role type id call_id tool_call_id tool_use_id toolUseId detail format status filename ttl phase`.split(' '),
);

/** Values that only the provider can read: what is in them it counts by itself, or not at all. */
export const OPAQUE: ReadonlySet<string> = new Set('signature thoughtSignature thought_signature'.split(' '));

/** Lists that repeat what stands beside them: `thinking_blocks` the text of `reasoning_content`. */
export const REPEATED: ReadonlySet<string> = new Set(['thinking_blocks']);

/** Objects in messages that are read as JSON: arguments of calls and results of tools. */
export const JSON_KEYS: ReadonlySet<string> = new Set('input args response json'.split(' '));

export const MIME_KEYS: ReadonlySet<string> = new Set('media_type mimeType mime_type'.split(' '));

/** Literals that name or hold something that is no text. */
export const MEDIA_LITERALS: ReadonlyMap<string, MediaKind> = new Map([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['audio_url', 'audio'],
  ['video_url', 'video'],
  ['file_url', 'file'],
  ['file_id', 'file'],
  ['file_data', 'file'],
]);

/** Objects that do, and values of `type`. */
export const MEDIA_KEYS: ReadonlyMap<string, MediaKind> = new Map([
  ['image_url', 'image'],
  ['input_image', 'image'],
  ['image', 'image'],
  ['input_audio', 'audio'],
  ['audio_url', 'audio'],
  ['audio', 'audio'],
  ['video_url', 'video'],
  ['video', 'video'],
  ['file', 'file'],
  ['document', 'file'],
]);

/** Objects whose kind something else tells: their own MIME type, the block's `type`, or the member that the block stands under. */
export const SOURCE_KEYS: ReadonlySet<string> = new Set(
  'source inline_data inlineData file_data fileData s3Location'.split(' '),
);

/** In an object under one of `MEDIA_KEYS` or `SOURCE_KEYS`: where the thing itself stands. */
export const MEDIA_VALUES: ReadonlySet<string> = new Set(
  'url data bytes file_data file_id file_uri fileUri uri'.split(' '),
);
export const INLINE_VALUES: ReadonlySet<string> = new Set(['data', 'bytes', 'file_data']);

/** Every key that means something, by its length and first byte: all others are read like one that is not there. */
const MEANING = new Map<number, string[]>();
for (const keys of [TOP_KEYS, MEDIA_LITERALS, MEDIA_KEYS]) learn(keys.keys());
for (const keys of [SCHEMA_KEYS, STRUCTURE, OPAQUE, REPEATED, JSON_KEYS, MIME_KEYS]) learn(keys);
for (const keys of [SOURCE_KEYS, MEDIA_VALUES, INLINE_VALUES]) learn(keys);

function learn(keys: Iterable<string>): void {
  for (const key of keys) {
    const place = placeOf(key.length, key.charCodeAt(0));
    const alike = MEANING.get(place);
    if (alike === undefined) MEANING.set(place, [key]);
    else if (!alike.includes(key)) alike.push(key);
  }
}

function placeOf(length: number, first: number): number {
  return length * 256 + first;
}

/** The key that stands there, without its quotes; '' for all that mean nothing. Makes no text. */
export function keyAt(body: Buffer, start: number, end: number): string {
  const keys = MEANING.get(placeOf(end - start, body[start] ?? 0));
  if (keys !== undefined) for (const key of keys) if (isAt(body, start, key)) return key;
  return '';
}

function isAt(body: Buffer, start: number, key: string): boolean {
  for (let at = 0; at < key.length; at += 1) if (body[start + at] !== key.charCodeAt(at)) return false;
  return true;
}

/** The kind of media that a MIME type names; null for text and what is unknown. */
export function mimeKind(mime: string): MediaKind | null {
  if (mime.startsWith('image/')) return 'image';
  if (mime.startsWith('audio/')) return 'audio';
  if (mime.startsWith('video/')) return 'video';
  return mime === '' ? null : 'file';
}
