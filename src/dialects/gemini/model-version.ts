/** Counts as the newest: `gemini-flash-latest` names no version. */
const NEWEST = 100;

/**
 * The generation of a Gemini model by its name, as a number that can be compared: 2.5, 3, 3.1. Models of other families (Gemma,
 * tuned ones) are 0: only what every generation knows can be asked of them.
 */
export function modelVersion(model: string): number {
  const [, version] = /(?:^|\/)gemini-(?:[a-z]+-)*?(\d{1,2}(?:\.\d)?)(?![\d.])/.exec(model) ?? [];
  if (version !== undefined) return Number(version);
  return /(?:^|\/)gemini-(?:[a-z]+-)+latest$/.test(model) ? NEWEST : 0;
}
