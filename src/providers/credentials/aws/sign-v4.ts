import { createHash, createHmac } from 'node:crypto';
import type { OutgoingHeader } from '../header.js';

/** Keys of AWS, permanent or of a role. All but the id are secret. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only with temporary keys. */
  readonly sessionToken: string | null;
}

/** Where a signature counts. */
export interface SigningScope {
  readonly region: string;
  /** The signing name: `bedrock`, `sts`. */
  readonly service: string;
}

export interface SignedCall {
  readonly method: string;
  /** As the Host header says it: with the port unless it is the scheme's own. */
  readonly host: string;
  /** As it goes onto the wire, query included. */
  readonly path: string;
  /** In one piece or in several. */
  readonly body: Buffer | string | readonly Buffer[];
  /** Of the body, SHA-256 in hexadecimal, where somebody has made it already. */
  readonly digest?: string | null;
  /** More headers to cover; lower-case names. They must arrive as they are. */
  readonly headers?: Readonly<Record<string, string>>;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * Signs with AWS Signature Version 4, in the same turn. Only `host`, the date, the session token and what `headers`
 * names are covered: proxies may change anything else. The path is encoded once more than on the wire, as every service
 * but S3 wants it, so that `%3A` counts as `%253A`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @param now epoch milliseconds; AWS allows five minutes of difference
 * @returns the headers to send besides `call.headers`; the last one is `authorization`
 */
export function signV4(keys: AwsKeys, scope: SigningScope, call: SignedCall, now: number): readonly OutgoingHeader[] {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const added: OutgoingHeader[] = [{ name: 'x-amz-date', value: time }];
  if (keys.sessionToken !== null) added.push({ name: 'x-amz-security-token', value: keys.sessionToken });
  const covered = [
    ...Object.entries(call.headers ?? {}).map(([name, value]) => ({ name, value })),
    { name: 'host', value: call.host },
    ...added,
  ].sort((left, right) => (left.name < right.name ? -1 : 1));
  const names = covered.map(({ name }) => name).join(';');
  const request = [
    call.method,
    canonicalPath(call.path),
    canonicalQuery(call.path),
    ...covered.map(({ name, value }) => `${name}:${value.trim().replace(/ +/g, ' ')}`),
    '',
    names,
    call.digest ?? sha256(call.body),
  ].join('\n');
  const day = time.slice(0, 8);
  const place = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const key = signingKey(keys.secretAccessKey, day, scope);
  const signature = hmac(key, [ALGORITHM, time, place, sha256(request)].join('\n')).toString('hex');
  const value = `${ALGORITHM} Credential=${keys.accessKeyId}/${place}, SignedHeaders=${names}, Signature=${signature}`;
  return [...added, { name: 'authorization', value }];
}

/** Without empty and dot segments, each character that is not unreserved encoded, `%` too. */
function canonicalPath(path: string): string {
  const question = path.indexOf('?');
  const plain = question < 0 ? path : path.slice(0, question);
  const segments: string[] = [];
  for (const segment of plain.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(encode(segment));
  }
  return `/${segments.join('/')}${segments.length > 0 && plain.endsWith('/') ? '/' : ''}`;
}

/** Sorted by name, then by value, as encoded. */
function canonicalQuery(path: string): string {
  const question = path.indexOf('?');
  if (question < 0) return '';
  const pairs = path
    .slice(question + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const name = encode(decode(equals < 0 ? pair : pair.slice(0, equals)));
      return [name, equals < 0 ? '' : encode(decode(pair.slice(equals + 1)))] as const;
    });
  return pairs
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function order(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986: all but unreserved characters. Half a surrogate pair counts as what it becomes on the wire. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

interface DayKey {
  readonly secret: string;
  readonly place: string;
  readonly key: Buffer;
}

/** The key of a day is made of four digests: kept for the last pairs of secret and place. */
const dayKeys: DayKey[] = [];
const MOST_DAY_KEYS = 16;

function signingKey(secret: string, day: string, { region, service }: SigningScope): Buffer {
  const place = `${day}/${region}/${service}`;
  const known = dayKeys.find((entry) => entry.place === place && entry.secret === secret);
  if (known !== undefined) return known.key;
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
  if (dayKeys.length === MOST_DAY_KEYS) dayKeys.shift();
  dayKeys.push({ secret, place, key });
  return key;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(data: SignedCall['body']): string {
  const hash = createHash('sha256');
  if (typeof data === 'string' || Buffer.isBuffer(data)) hash.update(data);
  else for (const piece of data) hash.update(piece);
  return hash.digest('hex');
}
