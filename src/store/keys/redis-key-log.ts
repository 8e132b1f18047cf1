import { randomUUID } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { type IssuedKey, parseIssuedKey } from './issued-key.js';
import type { Changes, Head, KeyLog, Write } from './key-log.js';

export interface RedisKeyOptions {
  /** `redis://` or `rediss://`; may hold a password. */
  readonly url: string;
  /** True: the servers of one cluster are found through this one. */
  readonly cluster: boolean;
  /** First part of every key, inside the hash tag. */
  readonly prefix: string;
  /** Milliseconds after which an unanswered command has failed. */
  readonly timeoutMs: number;
}

/** Keys of one page; a page is parsed in one turn of the event loop. */
const PAGE = 500;
const RECONNECT_MS = 500;

/**
 * KEYS: bodies by id (hash) · position of the last revision by id (sorted set) · epoch and position (hash).
 * ARGV: id, revision, body, rule, an epoch for a store that has none.
 */
const WRITE = `
local current = redis.call('HGET', KEYS[1], ARGV[1])
local revision = 0
if current then revision = tonumber(cjson.decode(current)['revision']) end
local wanted = tonumber(ARGV[2])
if ARGV[4] == 'next' and revision ~= wanted - 1 then return 0 end
if revision >= wanted then return 0 end
redis.call('HSETNX', KEYS[3], 'epoch', ARGV[5])
local position = redis.call('HINCRBY', KEYS[3], 'position', 1)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], position, ARGV[1])
return 1`;

const READ = `
local order = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[2]))
local ids = {}
for index = 1, #order, 2 do ids[#ids + 1] = order[index] end
if #ids == 0 then return {ARGV[1]} end
local bodies = redis.call('HMGET', KEYS[1], unpack(ids))
table.insert(bodies, 1, order[#order])
return bodies`;

/** Revisions in Redis or Valkey, one server or a cluster. */
export class RedisKeyLog implements KeyLog {
  readonly #client: Redis | Cluster;
  readonly #names: readonly [bodies: string, order: string, head: string];

  constructor(options: RedisKeyOptions) {
    this.#client = connect(options);
    // Without a listener a lost connection would end the process; the next command says so too.
    this.#client.on('error', () => undefined);
    const names = (name: string): string => `{${options.prefix}}:keys:${name}`;
    this.#names = [names('bodies'), names('order'), names('head')];
  }

  async head(): Promise<Head> {
    await this.#ready();
    const [epoch, position] = await this.#client.hmget(this.#names[2], 'epoch', 'position');
    return { epoch: epoch ?? '', position: Number(position ?? 0) };
  }

  async changes(position: number): Promise<Changes> {
    const reply = await this.#client.eval(READ, 3, ...this.#names, position, PAGE);
    const [next, ...bodies] = Array.isArray(reply) ? reply : [];
    const keys: IssuedKey[] = [];
    let unreadable = 0;
    for (const body of bodies) {
      const key = typeof body === 'string' ? parseIssuedKey(body) : null;
      if (key) keys.push(key);
      else unreadable += 1;
    }
    const damages = unreadable > 0 ? [`${unreadable} keys could not be read`] : [];
    return { keys, position: Number(next ?? position), last: bodies.length < PAGE, damages };
  }

  async write({ key, rule }: Write): Promise<boolean> {
    const args = [key.id, key.revision, JSON.stringify(key), rule, randomUUID()];
    return (await this.#client.eval(WRITE, 3, ...this.#names, ...args)) === 1;
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }

  /** The first command waits for the first connection; later ones fail at once while there is none. */
  async #ready(): Promise<void> {
    if (this.#client.status === 'wait') await this.#client.connect();
  }
}

function connect({ url, cluster, timeoutMs }: RedisKeyOptions): Redis | Cluster {
  const options = {
    lazyConnect: true,
    // A command that waited for a connection would be carried out long after its failure was reported.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
  };
  const delay = (): number => RECONNECT_MS;
  if (!cluster) return new Redis(url, { ...options, retryStrategy: delay });
  return new Cluster([url], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: delay,
    redisOptions: options,
  });
}
