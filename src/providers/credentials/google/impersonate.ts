import type { Impersonation } from '../../../config/google-json.js';
import { type AcquireContext, type Acquired, AcquireError } from '../acquire.js';
import { askJson, textIn, timeIn } from '../ask.js';
import { CLOUD_SCOPE } from './token-endpoint.js';

/** Trades a token for one of a service account that its owner may act for. */
export async function impersonate(
  context: AcquireContext,
  { url, lifetimeSeconds, delegates }: Impersonation,
  first: Acquired,
): Promise<Acquired> {
  if (first.material.kind !== 'bearer') throw new AcquireError('only a token can act for a service account');
  const answer = await askJson(context, url, {
    method: 'POST',
    headers: { authorization: `Bearer ${first.material.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      scope: [CLOUD_SCOPE],
      lifetime: `${lifetimeSeconds}s`,
      ...(delegates.length === 0 ? {} : { delegates }),
    }),
  });
  const token = textIn(answer, 'accessToken', new URL(url).host);
  return { material: { kind: 'bearer', token }, expiresAt: timeIn(answer['expireTime']) };
}
