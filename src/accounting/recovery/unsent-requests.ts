import { FollowedFile } from '../follow-file.js';
import { lineId } from '../line-id.js';

export interface UnsentOptions {
  /** Envoy's access log; it may not be there. */
  readonly accessLogPath: string;
  /** Rotated files that changed since are looked at too; epoch milliseconds. */
  readonly since: number;
  /** Ids in the answer; the newest are kept. */
  readonly most: number;
}

/** Some ten thousand lines; what lies further back has long expired on a gateway that is busy. */
const LOOK_BACK = 16 * 1024 * 1024;
const NO_ATTEMPT = Buffer.from('"attempts":0');
const UNDECIDED = Buffer.from('"generation":null');
const UNAVAILABLE = Buffer.from('"status":503');

/**
 * Ids of requests that Envoy ended before any provider was asked, because no service decided or could: a service that died between
 * its hold in a shared store and its entry in the ledger has left no other trace of them. Rejects when the log cannot be read.
 */
export async function unsentRequests({ accessLogPath, since, most }: UnsentOptions): Promise<readonly string[]> {
  let ids: string[] = [];
  const onLine = (line: Buffer): void => {
    if (!line.includes(NO_ATTEMPT) || !(line.includes(UNDECIDED) || line.includes(UNAVAILABLE))) return;
    const id = lineId(line);
    if (id !== null) ids.push(id);
    if (ids.length >= 2 * most) ids = ids.slice(-most);
  };
  const log = new FollowedFile({ path: accessLogPath, since, lookBack: LOOK_BACK, onLine });
  try {
    await log.poll();
  } finally {
    await log.close();
  }
  return ids.slice(-most);
}
