/** How Envoy's access log and the ledger may disagree about a request. */
export const DISAGREEMENTS = [
  /** A provider was asked and the ledger knows nothing: lost money. */
  'missing_entry',
  /** A hold whose final entry had not come in time. */
  'unsettled',
  /** The final entry came after all, or much later than the line. */
  'late',
  /** Settled, and Envoy never said that the request ended. */
  'missing_line',
  'status_differs',
  'attempts_differ',
  'target_differs',
  /** The client got an answer that the ledger counts no output for. */
  'bytes_without_usage',
  /** Final entries that could not be watched, because too many were. */
  'unwatched',
] as const;

export type DisagreementKind = (typeof DISAGREEMENTS)[number];

/** One disagreement, for people. */
export interface Disagreement {
  /** ISO 8601 UTC, when it was noticed. */
  readonly time: string;
  readonly id: string;
  readonly kind: DisagreementKind;
  /** What Envoy's line says; null when there is none. */
  readonly line: string | number | null;
  /** What the final entry says; null when there is none. */
  readonly entry: string | number | null;
}
