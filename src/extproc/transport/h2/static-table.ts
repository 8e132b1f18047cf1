/** The header fields that every connection knows, from index 1 on. Source: RFC 7541, appendix A. */
export const STATIC_FIELDS: readonly (readonly [name: string, value: string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...named('accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control'),
  ...named('content-disposition content-encoding content-language content-length content-location content-range'),
  ...named('content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range'),
  ...named('if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization'),
  ...named('range referer refresh retry-after server set-cookie strict-transport-security transfer-encoding'),
  ...named('user-agent vary via www-authenticate'),
];

function named(names: string): (readonly [string, string])[] {
  return names.split(' ').map((name) => [name, ''] as const);
}
