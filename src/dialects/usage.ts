/**
 * What an answer used, by class. The classes never overlap: `input` leaves out what was read from or written to a cache,
 * `output` leaves out `reasoning`. Rules per dialect: reading is done from the provider's own bytes, last value wins.
 */
export const TOKEN_CLASSES = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'input_audio',
  'input_image',
  'output',
  'reasoning',
  'output_audio',
] as const;

/**
 * What is billed by the piece: images made, seconds of sound heard, searches (or their sources) and characters spoken.
 * A price per request is none of them: it is charged once, whatever was used.
 */
export const UNIT_CLASSES = ['images', 'audio_seconds', 'search_units', 'characters'] as const;

export type TokenClass = (typeof TOKEN_CLASSES)[number];
export type UnitClass = (typeof UNIT_CLASSES)[number];
export type UsageClass = TokenClass | UnitClass;

/** Whole numbers, 0 or more. */
export type Usage = Record<UsageClass, number>;

export const USAGE_CLASSES: readonly UsageClass[] = [...TOKEN_CLASSES, ...UNIT_CLASSES];

export function emptyUsage(): Usage {
  return {
    input: 0,
    cache_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    input_audio: 0,
    input_image: 0,
    output: 0,
    reasoning: 0,
    output_audio: 0,
    images: 0,
    audio_seconds: 0,
    search_units: 0,
    characters: 0,
  };
}
