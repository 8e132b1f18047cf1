import { type Disk, realDisk, type SegmentFile } from '../../../src/accounting/ledger/disk.js';

const NEWLINE = 0x0a;

/** A disk whose behaviour a test changes while it is used. */
export class FaultyDisk implements Disk {
  writes = 0;
  syncs = 0;
  /** Bytes taken at most by one write. */
  mouthful = Number.POSITIVE_INFINITY;
  /** Bytes until the disk is full. */
  space = Number.POSITIVE_INFINITY;
  failTruncate = false;
  failSync = false;

  create(path: string): SegmentFile {
    if (this.space <= 0) throw full();
    const file = realDisk.create(path);
    return {
      write: (bytes) => {
        this.writes += 1;
        if (this.space <= 0) throw full();
        // A refused line that lacks nothing but its newline is read as a whole one once its process is dead: not here.
        const space = bytes[this.space] === NEWLINE ? this.space - 1 : this.space;
        const taken = file.write(bytes.subarray(0, Math.min(bytes.length, this.mouthful, space)));
        this.space -= taken;
        return taken;
      },
      truncate: (length) => {
        if (this.failTruncate) throw new Error('EIO');
        file.truncate(length);
      },
      sync: (done) => {
        this.syncs += 1;
        if (this.failSync) setImmediate(done, new Error('EIO'));
        else file.sync(done);
      },
      close: () => file.close(),
    };
  }
}

function full(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}
