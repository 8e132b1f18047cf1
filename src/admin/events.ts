import type { ServerResponse } from 'node:http';
import type { AdminDependencies, RequestRecord } from './ports.js';
import { AdminError, type Reply } from './reply.js';

const MOST_LISTENERS = 50;
const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is cut off: it can ask `/requests` for what it missed. Bytes. */
const MOST_UNREAD = 1024 * 1024;

export interface LiveEvents {
  /** A reply that sends every finished request as a server-sent event `request`. Throws 503 when too many listen. */
  open(dependencies: AdminDependencies): Reply;
  close(): void;
}

/** `GET /api/v1/events`: one subscription for each listener, all of them ended by `close()`. */
export function createLiveEvents(): LiveEvents {
  const open = new Set<ServerResponse>();
  return {
    open(dependencies) {
      if (open.size >= MOST_LISTENERS) {
        throw new AdminError(503, 'too_many_listeners', `Only ${MOST_LISTENERS} listeners at a time.`);
      }
      return {
        kind: 'stream',
        run(response) {
          open.add(response);
          const stop = stream(response, dependencies);
          response.once('close', () => {
            open.delete(response);
            stop();
          });
        },
      };
    },
    close() {
      for (const response of open) response.end();
    },
  };
}

function stream(response: ServerResponse, dependencies: AdminDependencies): () => void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(': live\n\n');
  const send = (record: RequestRecord): void => {
    if (response.writableLength > MOST_UNREAD) response.destroy();
    else
      response.write(`event: request\nid: ${record.id.replace(/[\r\n\0]/g, '')}\ndata: ${JSON.stringify(record)}\n\n`);
  };
  const stop = dependencies.subscribe(send);
  const heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    stop();
  };
}
