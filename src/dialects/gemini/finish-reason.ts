/** By number, as Vertex AI's client libraries may write it. */
const NUMBERED: readonly string[] = [
  '',
  'STOP',
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'OTHER',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
];

/** Google's word for why a candidate ended; null while it goes on. */
export function readFinishReason(reason: unknown): string | null {
  if (typeof reason === 'number' && reason > 0) return NUMBERED[reason] ?? 'OTHER';
  return typeof reason === 'string' && reason !== '' && reason !== 'FINISH_REASON_UNSPECIFIED' ? reason : null;
}
