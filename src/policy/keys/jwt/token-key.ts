import { hash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { JwtIssuer } from '../../../config/money-rules.js';
import type { GatewayKey } from '../key-ring.js';

const LONGEST_ID = 120;
const LONGEST_LABEL = 256;

/**
 * The key that a verified token stands for, or null when it lacks the claim that names it. Its id, `jwt:<issuer>:<claim>`, can
 * be no other key's: ids of fixed and issued keys have no colon, and the issuer's part has none either.
 */
export function tokenKey(issuer: JwtIssuer, payload: JWTPayload, expiresAt: number): GatewayKey | null {
  const name = claimText(payload, issuer.id);
  if (name === null || name === '') return null;
  const labels: [string, string][] = [];
  for (const [label, claim] of Object.entries(issuer.labels)) {
    const value = claimText(payload, claim);
    if (value !== null) labels.push([label, value.slice(0, LONGEST_LABEL)]);
  }
  return Object.freeze({
    id: bounded(`jwt:${issuerName(issuer.issuer)}:${escaped(name)}`),
    // Fixed labels win: a token must not say otherwise.
    labels: Object.freeze({ ...Object.fromEntries(labels), ...issuer.fixed }),
    models: issuer.models,
    endpoints: issuer.endpoints,
    expiresAt,
  });
}

/** Text, numbers, truth values and lists of them (joined by commas); null for anything else. */
function claimText(payload: JWTPayload, path: string): string | null {
  const value = claimAt(payload, path);
  const list = Array.isArray(value) ? value : [value];
  const isPlain = list.every((item) => ['string', 'number', 'boolean'].includes(typeof item));
  return isPlain ? list.join(',') : null;
}

/** `https://acme.com/team` is a claim's own name, `org.team` goes a level down. */
function claimAt(payload: object, path: string): unknown {
  if (Object.hasOwn(payload, path)) return Reflect.get(payload, path);
  const dot = path.indexOf('.');
  const outer: unknown = dot > 0 ? Object.getOwnPropertyDescriptor(payload, path.slice(0, dot))?.value : undefined;
  if (typeof outer !== 'object' || outer === null) return undefined;
  return claimAt(outer, path.slice(dot + 1));
}

/** Host and path of an https issuer; several issuers of one host differ by their path. */
function issuerName(issuer: string): string {
  return escaped(issuer.replace(/^https:\/\//, '').replace(/\/$/, '')).replaceAll(':', '%3A');
}

/** Printable ASCII without percent signs; everything else as %XX. */
function escaped(text: string): string {
  return text.replaceAll(/[^\x21-\x24\x26-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
  );
}

/** A long id keeps its beginning and gets a digest of the whole, so that two never become one. */
function bounded(id: string): string {
  if (id.length <= LONGEST_ID) return id;
  return `${id.slice(0, LONGEST_ID - 33)}~${hash('sha256', id, 'hex').slice(0, 32)}`;
}
