import { Cluster, Redis } from 'ioredis';
import type { Script } from './scripts/script.js';

export interface RedisLinkOptions {
  /** `redis://` or `rediss://`; may hold a password. */
  readonly url: string;
  /** The servers of one cluster are found through this one. */
  readonly cluster: boolean;
  readonly connectTimeoutMs: number;
  /** Commands are answered from now on. */
  readonly onReady: () => void;
  /** They are not, or not any more; told at each attempt. The link tries to come back by itself. */
  readonly onLost: (error: Error) => void;
}

export type ScriptArgument = string | number;

const LONGEST_DELAY_MS = 1000;

/** A connection that comes back by itself, keeps no commands for later and repeats none. */
export class RedisLink {
  readonly #client: Redis | Cluster;
  #ready = false;
  #lastError: Error = new Error('not connected yet');

  constructor(options: RedisLinkOptions) {
    this.#client = createClient(options);
    this.#client.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.#client.on('ready', () => {
      this.#ready = true;
      options.onReady();
    });
    this.#client.on('close', () => {
      this.#ready = false;
      options.onLost(this.#lastError);
    });
  }

  /** Why commands are not answered now; null if they are. */
  get problem(): Error | null {
    return this.#ready ? null : this.#lastError;
  }

  /** Sends the script, by its hash if the server has it. */
  async run(script: Script, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(script.sha1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await this.#client.eval(script.text, keys.length, ...keys, ...args);
    }
  }

  /** Text of one field of a hash; null if it is not there. */
  async field(hash: string, name: string): Promise<string | null> {
    return await this.#client.hget(hash, name);
  }

  async append(list: string, entries: readonly string[], ttlMs: number): Promise<void> {
    await this.#client.rpush(list, ...entries);
    await this.#client.pexpire(list, ttlMs);
  }

  async remove(key: string): Promise<void> {
    await this.#client.unlink(key);
  }

  /** For a connection that is there and silent. */
  reconnect(): void {
    this.#client.disconnect(true);
  }

  close(): void {
    this.#ready = false;
    this.#client.disconnect();
  }
}

function createClient({ url, cluster, connectTimeoutMs }: RedisLinkOptions): Redis | Cluster {
  const delay = (attempt: number): number => Math.min(20 * 2 ** Math.min(attempt, 10), LONGEST_DELAY_MS);
  const options = {
    connectTimeout: connectTimeoutMs,
    // A command that waits or is repeated would count after its failure was reported.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    keepAlive: 10_000,
    // After a fail-over the old main server only reads.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  if (!cluster) return new Redis(url, { ...options, enableOfflineQueue: false, retryStrategy: delay });
  const clusterOptions = {
    enableOfflineQueue: false,
    clusterRetryStrategy: delay,
    slotsRefreshTimeout: connectTimeoutMs,
  };
  return new Cluster([url], { ...clusterOptions, redisOptions: options });
}
