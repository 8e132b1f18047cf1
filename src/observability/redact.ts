import type { Secret } from './secret.js';

/** Free text made safe to show to an operator. */
export type Redact = (text: string) => string;

/** Shorter values would blank out ordinary words. */
const SHORTEST_SECRET = 6;

/** Things that look like credentials whoever they belong to: a key in a model's name, a header echoed in an error. */
const LOOKS_SECRET =
  /\b(?:sk|pk|rk|gsk|xai|pplx|hf|ghp|gho|github_pat|nvapi|fw|csk|AIza)[-_][A-Za-z0-9_-]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\b(?:bearer|basic)\s+[\w.~+/=-]{8,}/gi;

/**
 * Masks known secrets (also percent-encoded and base64), then anything shaped like a credential. For errors of libraries
 * and providers, whose text nobody here has written. `secrets` is asked at each call, so that a reload counts at once.
 */
export function createRedact(secrets: () => Iterable<Secret>): Redact {
  return (text) => {
    let safe = text;
    for (const secret of secrets()) {
      for (const form of formsOf(secret)) if (safe.includes(form)) safe = safe.replaceAll(form, () => secret.mask);
    }
    return safe.replace(LOOKS_SECRET, '[secret]');
  };
}

/** As itself, as in a query string, as in Basic authentication. Kept with the secret: lines are written often. */
function formsOf(secret: Secret): readonly string[] {
  const known = knownForms.get(secret);
  if (known !== undefined) return known;
  const bytes = Buffer.from(secret.reveal());
  const plain = bytes.toString();
  const forms = plain.length < SHORTEST_SECRET ? [] : [plain, encodeURIComponent(plain), bytes.toString('base64')];
  knownForms.set(secret, forms);
  return forms;
}

const knownForms = new WeakMap<Secret, readonly string[]>();

/** The longest value of one log field, in UTF-16 units. */
const LONGEST_FIELD = 2048;

/** Control characters (line ends and ANSI escapes among them), Unicode's own line ends, and characters that reorder text. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line of at most 2 KiB that cannot move the cursor of whoever reads it. */
export function oneLine(text: string): string {
  const cut = text.length > LONGEST_FIELD ? `${text.slice(0, LONGEST_FIELD - 1)}…` : text;
  return cut.replace(UNPRINTABLE, ' ');
}
