import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Test } from 'tap';

/** An identity provider on loopback. */
export interface IssuerUnderTest {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Fetches of the key set so far. */
  readonly fetches: () => number;
  /** What the key set answers with from now on, instead of 200. */
  answer(status: number): void;
  /** Signs with the newest key; claims replace the usual ones. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: { readonly kid?: string; readonly alg?: string },
  ): Promise<string>;
  /** A new key; the old ones are published on or not. */
  rotate(options: { readonly keepOld: boolean; readonly published?: boolean }): Promise<void>;
}

export async function startIssuer(t: Test, now: () => number): Promise<IssuerUnderTest> {
  let published: JWK[] = [];
  let fetches = 0;
  let status = 200;
  let current = await generateKeyPair('ES256');
  let generation = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const publish = async (keepOld: boolean): Promise<void> => {
    const key = { ...(await exportJWK(current.publicKey)), kid: `k${generation}`, alg: 'ES256', use: 'sig' };
    published = keepOld ? [...published, key] : [key];
  };
  await publish(false);
  const issuer = 'https://id.example.com/realms/main';
  return {
    issuer,
    jwksUrl: `http://127.0.0.1:${port}/jwks`,
    fetches: () => fetches,
    answer(next) {
      status = next;
    },
    sign(claims = {}, header = {}) {
      const seconds = Math.floor(now() / 1000);
      const payload = { iss: issuer, aud: 'tollgate', sub: 'ann', exp: seconds + 60, ...claims };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'ES256', kid: `k${generation}`, ...header })
        .sign(current.privateKey);
    },
    async rotate({ keepOld, published: isPublished = true }) {
      current = await generateKeyPair('ES256');
      generation += 1;
      if (isPublished) await publish(keepOld);
    },
  };
}
