import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createRedact } from '../../../observability/redact.js';
import { listBoots } from '../../ledger/boots.js';
import { hasLivingOwner } from '../../ledger/owner.js';
import { columnText } from '../column-text.js';
import type { ContentRecord } from '../record.js';
import type { Database, Session, Value } from '../sql/database.js';
import { CONTENTS } from '../sql/tables.js';
import { SPOOL_PATTERN } from './content-spool.js';
import { decodeFrame, type Frame } from './frame.js';

/** Larger than any frame. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Gateway keys, other vendors' keys and bearer tokens, whoever they belong to. */
const mask = createRedact(() => []);

interface SpoolFile {
  readonly path: string;
  /** Nothing will be appended any more. */
  readonly ended: boolean;
}

/** Takes prompts and answers from the spools into the database. Files that are through are deleted. */
export class ContentMover {
  readonly #directory: string;
  /** Bytes of each file that are in the database. Forgotten by a restart: rows are kept as they are, so nothing doubles. */
  readonly #taken = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Resolves to the number of new rows. Rejects with what the database says; what was taken stays taken. */
  async move(database: Database, source: string): Promise<number> {
    let moved = 0;
    for (const boot of await listBoots(this.#directory)) {
      const living = hasLivingOwner(boot.directory);
      const files = filesOf(boot.directory, living);
      for (const file of files) moved += await this.#moveFile(file, { database, source });
      if (!living && filesOf(boot.directory, living).length === 0)
        rmSync(boot.directory, { recursive: true, force: true });
    }
    return moved;
  }

  async #moveFile({ path, ended }: SpoolFile, to: { database: Database; source: string }): Promise<number> {
    let moved = 0;
    for (;;) {
      const from = this.#taken.get(path) ?? 0;
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      const { frames, length } = size > from ? readFrames(await readPiece(path, from)) : { frames: [], length: 0 };
      if (frames.length > 0)
        moved += (
          await to.database.write(
            CONTENTS,
            frames.map((frame) => contentRow(frame, to.source)),
          )
        ).size;
      if (length === 0) {
        // The rest, if any, is torn.
        if (ended) this.#drop(path);
        return moved;
      }
      this.#taken.set(path, from + length);
    }
  }

  #drop(path: string): void {
    rmSync(path, { force: true });
    this.#taken.delete(path);
  }
}

/** Null when it was not kept. */
export async function readContent(session: Session, id: string): Promise<ContentRecord | null> {
  const sql = 'select time, request, response, request_bytes, response_bytes from contents where id = ?';
  const [row] = await session.query(sql, [columnText(id)]);
  if (!row) return null;
  return {
    id,
    time: new Date(Number(row['time'])).toISOString(),
    request: String(row['request']),
    response: String(row['response']),
    request_bytes: Number(row['request_bytes']),
    response_bytes: Number(row['response_bytes']),
  };
}

/** The newest file of a living process is still being written. */
function filesOf(directory: string, living: boolean): SpoolFile[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory)
    .filter((name) => SPOOL_PATTERN.test(name))
    .sort();
  return names.map((name) => ({ path: join(directory, name), ended: !living || name !== names.at(-1) }));
}

async function readPiece(path: string, from: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function readFrames(piece: Buffer): { readonly frames: readonly Frame[]; readonly length: number } {
  const frames: Frame[] = [];
  let length = 0;
  while (length < piece.length) {
    const reading = decodeFrame(piece.subarray(length));
    if (reading.kind === 'incomplete') break;
    if (reading.kind === 'frame') frames.push(reading.frame);
    length += reading.length;
  }
  return { frames, length };
}

function contentRow(frame: Frame, source: string): readonly Value[] {
  const time = Math.max(0, Math.trunc(Date.parse(frame.time)) || 0);
  const bodies = [bodyText(frame.request), bodyText(frame.response)];
  return [columnText(frame.id), source, time, ...bodies, frame.requestBytes, frame.responseBytes];
}

function bodyText(body: Buffer): string {
  return mask(body.toString('utf8').replaceAll('\0', '\u{fffd}'));
}
