import { hash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { JwtIssuer } from '../../../config/money-rules.js';
import type { GatewayKey, KeyRing, LaterFind } from '../key-ring.js';
import { IssuerUnavailable, type KeySet } from './key-set.js';
import { tokenKey } from './token-key.js';

export interface TokenRingParts {
  readonly issuers: readonly JwtIssuer[];
  readonly keySetOf: (url: string) => Pick<KeySet, 'keyOf'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Public-key signatures only: with a shared secret, whoever can verify could also sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** For clocks that differ between the issuer and us. */
const SKEW_MS = 5000;
const REFUSED_MS = 5000;
const LONGEST_TOKEN = 16_384;
const MOST_REMEMBERED = 10_000;
/** Different tokens that are verified at once; more can only be a flood. */
const MOST_WAITING = 500;

interface Verdict {
  /** Null: refused. */
  readonly key: GatewayKey | null;
  /** Epoch milliseconds. */
  readonly until: number;
}

type Done = (result: LaterFind) => void;

export interface TokenRing extends Required<KeyRing> {
  /** Keys of an issuer have changed: nothing verified before counts any more. */
  forget(): void;
}

/**
 * Tokens of identity providers as keys. A verified token is remembered by the SHA-256 of all of it until it expires, so that only
 * its first request waits; a refused one for five seconds.
 */
export function createTokenRing(parts: TokenRingParts): TokenRing {
  const issuers = new Map(parts.issuers.map((issuer) => [issuer.issuer, issuer]));
  const verdicts = new LRUCache<string, Verdict>({ max: MOST_REMEMBERED });
  const waiting = new Map<string, Done[]>();
  let era = 0;

  const remembered = (digest: string, now: number): Verdict | null => {
    const verdict = verdicts.get(digest);
    return verdict !== undefined && now < verdict.until ? verdict : null;
  };
  const judge = async (token: string, issuer: JwtIssuer, digest: string): Promise<LaterFind> => {
    const before = era;
    const verdict = await verify(parts, issuer, token);
    if ('reason' in verdict) return { kind: 'unavailable', reason: verdict.reason };
    if (before === era || verdict.key === null) verdicts.set(digest, verdict);
    return verdict.key === null ? { kind: 'unknown' } : { kind: 'found', key: verdict.key };
  };
  return {
    find(secret, now) {
      return isTokenShaped(secret) ? (remembered(digestOf(secret), now)?.key ?? null) : null;
    },
    findLater(secret, now, done) {
      const issuer = isTokenShaped(secret) ? issuers.get(issuerOf(secret)) : undefined;
      if (issuer === undefined) return false;
      const digest = digestOf(secret);
      if (remembered(digest, now) !== null) return false;
      const others = waiting.get(digest);
      if (others) others.push(done);
      else if (waiting.size >= MOST_WAITING) done({ kind: 'unavailable', reason: 'too many tokens at once' });
      else {
        const all = [done];
        waiting.set(digest, all);
        void judge(secret, issuer, digest).then((result) => {
          waiting.delete(digest);
          for (const one of all) one(result);
        });
      }
      return true;
    },
    forget() {
      era += 1;
      verdicts.clear();
    },
  };
}

/** Never rejects. */
async function verify(
  { keySetOf, now }: TokenRingParts,
  issuer: JwtIssuer,
  token: string,
): Promise<Verdict | { readonly reason: string }> {
  try {
    const { payload } = await jwtVerify(token, keySetOf(issuer.jwksUrl).keyOf, {
      issuer: issuer.issuer,
      ...(issuer.audience ? { audience: [...issuer.audience] } : {}),
      algorithms: ALGORITHMS,
      clockTolerance: SKEW_MS / 1000,
      currentDate: new Date(now()),
      requiredClaims: ['exp'],
    });
    const until = Number(payload.exp) * 1000 + SKEW_MS;
    const key = tokenKey(issuer, payload, until);
    return key === null ? refused(now()) : { key, until };
  } catch (error) {
    if (error instanceof IssuerUnavailable) return { reason: error.message };
    if (error instanceof errors.JOSEError) return refused(now());
    return { reason: `a token could not be verified: ${error instanceof Error ? error.message : 'unknown'}` };
  }
}

function refused(now: number): Verdict {
  return { key: null, until: now + REFUSED_MS };
}

function isTokenShaped(secret: string): boolean {
  return secret.length <= LONGEST_TOKEN && /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(secret);
}

/** What the token says of its issuer, not verified; empty when it says nothing. */
function issuerOf(token: string): string {
  try {
    const payload = token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'));
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const issuer: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'iss') : '';
    return typeof issuer === 'string' ? issuer : '';
  } catch {
    return '';
  }
}

function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64url');
}
