/** What FOCUS shows for a usage class: the name of the meter and the unit of its quantity. */
export interface Meter {
  readonly meter: string;
  readonly unit: string;
}

const METERS: ReadonlyMap<string, string> = new Map([
  ['input', 'Input Tokens'],
  ['cache_read', 'Cached Input Tokens'],
  ['cache_write_5m', 'Cache Write Tokens'],
  ['cache_write_1h', 'Cache Write Tokens (1 hour)'],
  ['input_audio', 'Audio Input Tokens'],
  ['input_image', 'Image Input Tokens'],
  ['output', 'Output Tokens'],
  ['reasoning', 'Reasoning Tokens'],
  ['output_audio', 'Audio Output Tokens'],
]);

const UNITS: ReadonlyMap<string, Meter> = new Map([
  ['images', { meter: 'Images', unit: 'Images' }],
  ['audio_seconds', { meter: 'Audio Seconds', unit: 'Seconds' }],
  ['search_units', { meter: 'Searches', unit: 'Searches' }],
  ['characters', { meter: 'Characters', unit: 'Characters' }],
]);

/** Whatever is no class of usage is counted in requests. */
export function meterName(part: string): Meter {
  const meter = METERS.get(part);
  if (meter !== undefined) return { meter, unit: 'Tokens' };
  const words = part.replaceAll('_', ' ');
  return UNITS.get(part) ?? { meter: words.charAt(0).toUpperCase() + words.slice(1), unit: 'Requests' };
}
