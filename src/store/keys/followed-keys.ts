import { setTimeout as pause } from 'node:timers/promises';
import type { IssuedKey } from './issued-key.js';
import type { Head, KeyLog } from './key-log.js';
import type { KeyFollower, KeyStore, KeyStoreState, PutResult } from './key-store.js';

export interface FollowOptions {
  /** How the store is called in messages. */
  readonly name: string;
  /** Milliseconds between two looks; a change elsewhere is seen after at most this and one reading. */
  readonly everyMs?: number;
}

const EVERY_MS = 500;
/** Looks that are asked for come no faster than this. */
const PAUSE_MS = 50;

/**
 * A key store over any log of revisions. It looks for news in short intervals instead of being told: one way that is the
 * same for a file, Redis and Postgres, needs no second connection and cannot miss a message.
 */
export class FollowedKeys implements KeyStore {
  readonly #log: KeyLog;
  readonly #options: FollowOptions;
  #follower: KeyFollower | null = null;
  #seen: Head = { epoch: '', position: 0 };
  #state: KeyStoreState = { trouble: null, loaded: false };
  /** The log was replaced by another one, which may lack keys that this process knows. */
  #owesMemory = false;
  /** A look that has not begun to read yet. */
  #asked: Promise<void> | null = null;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Readings and writes of this process run one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(log: KeyLog, options: FollowOptions) {
    this.#log = log;
    this.#options = options;
  }

  async follow(follower: KeyFollower): Promise<void> {
    this.#follower = follower;
    await this.look();
    this.#keepLooking();
  }

  put(key: IssuedKey): Promise<PutResult> {
    return this.#inTurn(async () => {
      try {
        await this.#catchUp();
        const stored = await this.#log.write({ key, rule: 'next', position: this.#seen.position });
        await this.#catchUp();
        return { kind: stored ? 'stored' : 'conflict' };
      } catch (error) {
        this.#fail(error);
        return { kind: 'unavailable', error: error instanceof Error ? error : new Error(String(error)) };
      }
    });
  }

  look(): Promise<void> {
    this.#asked ??= this.#soon();
    return this.#asked;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#queue;
    await this.#log.close();
  }

  async #soon(): Promise<void> {
    const wait = this.#lookedAt + PAUSE_MS - performance.now();
    if (wait > 0) await pause(wait);
    await this.#inTurn(async () => {
      // Whoever asks from here on may want what this look is too early for.
      this.#asked = null;
      this.#lookedAt = performance.now();
      if (!this.#closed) await this.#catchUp().catch((error: unknown) => this.#fail(error));
    });
  }

  #keepLooking(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.look().then(() => this.#keepLooking()), this.#options.everyMs ?? EVERY_MS);
    // Following alone keeps no command alive; a server has its listeners.
    this.#timer.unref();
  }

  async #catchUp(): Promise<void> {
    const follower = this.#follower;
    if (!follower) throw new Error('a key store without a follower');
    const head = await this.#log.head();
    const before = this.#seen;
    // Backwards: a replica that lacked the last writes took over.
    const another = head.epoch !== before.epoch || head.position < before.position;
    if (another) this.#seen = { epoch: head.epoch, position: 0 };
    if (another || head.position > before.position || !this.#state.loaded) await this.#read(follower);
    if (another && this.#state.loaded && before.epoch !== '') this.#owesMemory = true;
    if (this.#owesMemory) await this.#writeBack(follower);
    this.#stands({ trouble: null, loaded: true });
  }

  async #read(follower: KeyFollower): Promise<void> {
    for (;;) {
      const { keys, position, last, damages } = await this.#log.changes(this.#seen.position);
      for (const damage of damages) follower.problem(`${this.#options.name}: ${damage}`);
      follower.learn(keys);
      this.#seen = { ...this.#seen, position };
      if (last || this.#closed) return;
    }
  }

  /** A store that lost its memory learns from the living processes; of each key the newest revision wins. */
  async #writeBack(follower: KeyFollower): Promise<void> {
    const { position } = this.#seen;
    let written = 0;
    for (const key of follower.known()) {
      if (await this.#log.write({ key, rule: 'newest', position })) written += 1;
    }
    this.#owesMemory = false;
    if (written > 0) follower.problem(`${this.#options.name} had lost ${written} keys: written back from memory`);
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? (error as NodeJS.ErrnoException).code || error.message : String(error);
    const trouble = `${this.#options.name} cannot be reached (${reason}); issued keys are as they were last read`;
    this.#stands({ trouble, loaded: this.#state.loaded });
  }

  #stands(state: KeyStoreState): void {
    const { trouble, loaded } = this.#state;
    this.#state = state;
    if (state.trouble !== trouble || state.loaded !== loaded) this.#follower?.stands(state);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
