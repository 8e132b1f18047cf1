const TIMEOUT_MS = 3000;
/** Far more than any key set has. Bytes. */
const MOST = 1024 * 1024;

/** GET of a small JSON document. Rejects after three seconds, on a redirect, another status than 200, or too many bytes. */
export async function fetchJson(url: string): Promise<unknown> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (response.status !== 200 || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body) {
    length += piece.length;
    if (length > MOST) throw new Error(`${url} answered more than ${MOST} bytes`);
    pieces.push(piece);
  }
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
}
