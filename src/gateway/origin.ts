/** Where a response comes from. */
export interface ResponseOrigin {
  /** True for a real answer of a provider, false for a reply that Envoy made itself. */
  readonly upstream: boolean;
  /** Envoy's response code details: `via_upstream`, `response_timeout`, `upstream_reset_before_response_started{…}`. */
  readonly details: string;
  /** Attempts made, 0 when no provider was tried. */
  readonly attempts: number;
  /** Cluster of the last attempt. */
  readonly cluster: string | null;
  /** Why the transport failed, in Envoy's words. */
  readonly failure: string | null;
}
