import { Socket, type SocketConstructorOpts } from 'node:net';

/** Bytes of one read: a body of 200 KB, as far as the kernel holds it. */
const ROOM = 256 * 1024;

/** Memory for `readInto`, for any number of sockets: each read is used up before the next one. */
export function readingMemory(): Buffer {
  return Buffer.allocUnsafeSlow(ROOM);
}

/**
 * Reads an accepted socket into the same memory again and again. By itself Node takes 64 KiB for each read, which is memory
 * outside its heap: of every 64 MB it marks the whole heap.
 *
 * Node has this (`onread`) for sockets that connect, not for those that a server accepts. So a second Socket takes over the
 * handle of the first, which keeps the server's count of connections. Where Node no longer has such a handle, the socket is
 * read as usual.
 * @param take gets what was read; the bytes are valid during the call only
 * @returns what to use in place of `accepted`
 */
export function readInto(accepted: Socket, memory: Buffer, take: (chunk: Buffer) => void): Socket {
  const shell = accepted as { _handle?: unknown };
  const handle = shell._handle;
  if (!takesMemory(handle)) return accepted.on('data', take);
  const options = {
    handle,
    onread: {
      buffer: memory,
      callback(length: number) {
        take(memory.subarray(0, length));
        return true;
      },
    },
  };
  shell._handle = null;
  // The types know this option for other handles only.
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  return socket.once('close', () => accepted.destroy());
}

function takesMemory(handle: unknown): boolean {
  return typeof handle === 'object' && handle !== null && 'useUserBuffer' in handle;
}
