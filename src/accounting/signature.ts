import { createHmac } from 'node:crypto';

export const SIGNATURE_HEADER = 'x-tollgate-signature';

/**
 * Proves to the receiver of a webhook who sent it and when: `t=<unix seconds>,v1=<HMAC-SHA256 of "t.body" under the shared secret,
 * hex>`. The receiver computes the same over the raw body, compares in constant time and refuses an old `t`.
 */
export function signatureOf(body: string, secret: string, unixSeconds: number): string {
  const mac = createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex');
  return `t=${unixSeconds},v1=${mac}`;
}
