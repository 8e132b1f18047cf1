import type { ErrorShape } from './endpoint.js';
import { GatewayError } from './error.js';
import type { ProviderError } from './provider-error.js';

/** What the client gets for a provider's error. */
export interface ClientError {
  readonly error: GatewayError;
  /** A client of this dialect gets the provider's body byte by byte, with `error.status`; for all others render `error`. */
  readonly keepBodyFor: ErrorShape | null;
}

/** A provider's own answers that are the client's to read (design 1.6). */
const KEPT: ReadonlySet<number> = new Set([400, 404, 409, 413, 422, 429]);
/** Kept even with an unreadable body: the status says all that matters. */
const CLEAR_WITHOUT_TEXT: Readonly<Record<number, string>> = {
  413: 'The provider refused the request because it is too large.',
  429: 'The provider is limiting requests at the moment.',
};

/** Maps a provider's error to the client's, by the rules of design 1.6. `status` is the provider's. */
export function clientError(provider: ProviderError, status: number): ClientError {
  if (provider.kind === 'auth') {
    const message = 'The provider refused the gateway’s credential. The operator of the gateway must check it.';
    return { error: new GatewayError('provider_auth', message), keepBodyFor: null };
  }
  const message = provider.message ?? CLEAR_WITHOUT_TEXT[status] ?? null;
  if (!KEPT.has(status) || message === null) {
    const text = `The provider failed: it answered with status ${status}${KEPT.has(status) ? ' and nothing readable' : ''}.`;
    return { error: new GatewayError('provider_error', text, { headers: provider.retry }), keepBodyFor: null };
  }
  const limited = status === 429;
  const error = new GatewayError(limited ? 'provider_rate_limited' : 'provider_error', message, {
    status,
    param: provider.param,
    headers: provider.retry,
    shownCode: provider.code ?? (limited ? 'provider_rate_limited' : null),
    shownType:
      provider.type ?? (limited ? 'rate_limit_error' : status === 404 ? 'not_found_error' : 'invalid_request_error'),
  });
  return { error, keepBodyFor: provider.shape };
}
