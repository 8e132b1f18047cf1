import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import t from 'tap';
import { type AwsKeys, type SignedCall, signV4 } from '../../../src/providers/credentials/aws/sign-v4.js';

/** AWS' own signature version 4 test suite: keys, time and scope are the same in every case. */
const KEYS: AwsKeys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};
const SCOPE = { region: 'us-east-1', service: 'service' };
const NOW = Date.UTC(2015, 7, 30, 12, 36, 0);

const STS_TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';

interface Vector {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly token?: string;
  readonly signature: string;
}

/** https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html */
const VECTORS: readonly Vector[] = [
  { name: 'get-vanilla', signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  {
    name: 'get-header-key-duplicate',
    headers: { 'my-header1': 'value2,value2,value1' },
    signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  },
  {
    name: 'get-header-value-multiline',
    headers: { 'my-header1': 'value1,value2,value3' },
    signature: 'ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790',
  },
  {
    name: 'get-header-value-order',
    headers: { 'my-header1': 'value4,value1,value3,value2' },
    signature: '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
  },
  {
    name: 'get-header-value-trim',
    headers: { 'my-header2': ' "a   b   c" ', 'my-header1': '  value1 ' },
    signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  {
    name: 'get-unreserved',
    path: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  },
  { name: 'get-utf8', path: '/ሴ', signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85' },
  {
    name: 'get-relative, get-slashes',
    path: '/example/..//./',
    signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  },
  {
    name: 'get-vanilla-empty-query-key',
    path: '/?Param1=value1',
    signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  },
  {
    name: 'get-vanilla-query-order-key-case',
    path: '/?Param2=value2&Param1=value1',
    signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  {
    name: 'get-vanilla-query-unreserved',
    path: '/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  },
  {
    name: 'get-vanilla-utf8-query',
    path: '/?ሴ=bar',
    signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  },
  {
    name: 'post-vanilla',
    method: 'POST',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'post-header-key-sort',
    method: 'POST',
    headers: { 'my-header1': 'value1' },
    signature: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  {
    name: 'post-header-value-case',
    method: 'POST',
    headers: { 'my-header1': 'VALUE1' },
    signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  {
    name: 'post-sts-header-before',
    method: 'POST',
    token: STS_TOKEN,
    signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  },
  {
    name: 'post-vanilla-query',
    method: 'POST',
    path: '/?Param1=value1',
    signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  },
  {
    name: 'post-vanilla-query-nonunreserved',
    method: 'POST',
    path: '/?@%23$%25%5E&%2B=/,?%3E%3C%60%22;:%5C%7C][%7B%7D',
    signature: '66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e',
  },
  {
    name: 'post-x-www-form-urlencoded',
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Param1=value1',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
  {
    name: 'post-x-www-form-urlencoded-parameters',
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf8' },
    body: 'Param1=value1',
    signature: '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
  },
];

t.test("AWS' published vectors", async (t) => {
  for (const { name, method = 'GET', path = '/', headers = {}, body = '', token = null, signature } of VECTORS) {
    const call: SignedCall = { method, host: 'example.amazonaws.com', path, body, headers };
    const signed = signV4({ ...KEYS, sessionToken: token }, SCOPE, call, NOW);
    t.match(signed.at(-1), { name: 'authorization', value: `Signature=${signature}` }, name);
  }
});

t.test('what is sent', async (t) => {
  const call: SignedCall = { method: 'POST', host: 'h:81', path: '/a%3A0/converse?x=1', body: Buffer.from('{}') };
  const signed = signV4({ ...KEYS, sessionToken: 'session' }, { region: 'eu-west-1', service: 'bedrock' }, call, NOW);
  t.match(signed, [
    { name: 'x-amz-date', value: '20150830T123600Z' },
    { name: 'x-amz-security-token', value: 'session' },
    {
      name: 'authorization',
      value:
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20150830\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    },
  ]);
});

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const headerName = fc.stringMatching(/^x-[a-z][a-z0-9-]{0,8}$/).filter((name) => !name.startsWith('x-amz'));
const headerValue = fc.stringMatching(/^[!-~]( {0,2}[!-~]){0,8}$/);

const anyCall = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  host: fc.constantFrom('bedrock-runtime.eu-central-1.amazonaws.com', '127.0.0.1:8081', 'h'),
  // On the wire a segment is encoded already: model ids hold colons and slashes.
  segments: fc.array(fc.oneof(word.map(encodeURIComponent), fc.constantFrom('', '.', '..', 'a:b', "(!'*)")), {
    maxLength: 5,
  }),
  endsWithSlash: fc.boolean(),
  query: fc.dictionary(
    word.filter((name) => name.toLowerCase() !== 'x-amz-signature' && name !== '__proto__'),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    { maxKeys: 4 },
  ),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 3 }),
  body: fc.uint8Array({ maxLength: 200 }),
  token: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{1,40}$/), { nil: null }),
  secret: fc.stringMatching(/^[A-Za-z0-9+/]{16,40}$/),
  time: fc.integer({ min: 0, max: 4_000_000_000_000 }),
});

t.test('the same as @smithy/signature-v4', async (t) => {
  await fc.assert(
    fc.asyncProperty(anyCall, async ({ segments, endsWithSlash, query, token, secret, time, ...given }) => {
      const keys: AwsKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secret, sessionToken: token };
      const plain = `/${segments.join('/')}${endsWithSlash ? '/' : ''}`;
      const pairs = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join('='));
      const path = pairs.length === 0 ? plain : `${plain}?${pairs.join('&')}`;
      const body = Buffer.from(given.body);
      const ours = signV4(keys, SCOPE, { ...given, body, path }, time);
      const pieces = [body.subarray(0, 3), body.subarray(3)];
      t.same(signV4(keys, SCOPE, { ...given, body: pieces, path }, time), ours, 'in pieces');
      const signer = new SignatureV4({
        credentials: {
          accessKeyId: keys.accessKeyId,
          secretAccessKey: secret,
          ...(token === null ? {} : { sessionToken: token }),
        },
        ...SCOPE,
        sha256: Sha256,
        applyChecksum: false,
      });
      const theirs = await signer.sign(
        {
          protocol: 'https:',
          hostname: given.host,
          method: given.method,
          path: plain,
          query,
          headers: { ...given.headers, host: given.host },
          body: given.body,
        },
        { signingDate: new Date(time) },
      );
      const sent = Object.fromEntries(ours.map(({ name, value }) => [name, value]));
      return (
        sent['authorization'] === theirs.headers['authorization'] && sent['x-amz-date'] === theirs.headers['x-amz-date']
      );
    }),
    { numRuns: 300 },
  );
  t.pass('signatures agree');
});

t.test('a name with several values, and one without', async (t) => {
  const at = (path: string) => signV4(KEYS, SCOPE, { method: 'GET', host: 'h', path, body: '' }, NOW).at(-1)?.value;
  t.equal(at('/?b=2&a=x&b=1'), at('/?a=x&b=1&b=2'), 'sorted by value too');
  t.equal(at('/?a'), at('/?a='));
  t.equal(at('/?'), at('/'));
  t.not(at('/?a=%2'), at('/?a=%25'), 'what is no encoding stays as it is, and is signed');
});
