/**
 * Tokens by class. The classes never overlap: `input` leaves out what was read from or written to a cache,
 * `output` leaves out `reasoning`. Rules per dialect: reading is done from the provider's own bytes, last value wins.
 */
export interface Usage {
  input: number;
  cache_read: number;
  cache_write_5m: number;
  cache_write_1h: number;
  input_audio: number;
  input_image: number;
  output: number;
  reasoning: number;
  output_audio: number;
  /** Billable units that are not tokens: images made, searches, characters. */
  requests: number;
}

export type UsageClass = keyof Usage;

export const USAGE_CLASSES: readonly UsageClass[] = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'input_audio',
  'input_image',
  'output',
  'reasoning',
  'output_audio',
  'requests',
];

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
    requests: 0,
  };
}
