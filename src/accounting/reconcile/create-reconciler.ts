import { AgedMap } from '../../store/aged-map.js';
import { type AccessLogFacts, type AccessLogLine, parseAccessLogLine, plainFacts } from '../access-log.js';
import { FollowedFile } from '../follow-file.js';
import type { FinalEntry } from '../ledger/entry.js';
import type { FoundEntries } from '../ledger/find-entries.js';
import { lineGeneration, lineId } from '../line-id.js';
import { compare } from './compare.js';
import type { Disagreement, DisagreementKind } from './disagreement.js';
import { type WatchedEntry, watchedEntry } from './watched-entry.js';

export interface ReconcilerOptions {
  /** Envoy's access log; it may not be there yet. */
  readonly accessLogPath: string;
  /** The provider of a cluster, null for clusters that are none. */
  readonly providerOf: (cluster: string) => string | null;
  /** Whether requests of this service generation are this process's business; null = the line names none. */
  readonly isOurs: (generation: string | null) => boolean;
  /** What the ledger has about requests that arrived after `since` (epoch ms): `findEntries`. */
  readonly find: (ids: ReadonlySet<string>, since: number) => Promise<ReadonlyMap<string, FoundEntries>>;
  /** For the metric by kind. Must not throw. */
  readonly onDisagreement: (disagreement: Disagreement) => void;
  /** Both tell about the same request, whatever they say. */
  readonly onPair?: (line: AccessLogFacts, entry: WatchedEntry) => void;
  readonly onProblem: (message: string, error: unknown) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How long a line waits for its final entry; default 10 s. */
  readonly entryGraceMs?: number;
  /** How long a final entry waits for its line, which comes when the client has got everything; default 10 min. */
  readonly lineGraceMs?: number;
  readonly pollMs?: number;
}

const POLL_MS = 1_000;
/** So many entries without their lines are many: then the log is read sooner, before they grow old (in V8's sense). */
const MANY = 64;
/** Envoy writes its log every 50 ms. */
const SOON_MS = 150;
const ENTRY_GRACE_MS = 10_000;
const LINE_GRACE_MS = 600_000;
/** Disagreements that `list` remembers. */
const MOST_LISTED = 1_000;
/** Requests of which one side is known; more are not watched. */
const MOST_WAITING = 20_000;
/** A ledger's clock and Envoy's. */
const SLACK_MS = 60_000;

/** Compares what Envoy wrote down about each request with what the ledger says, all the time. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #log: FollowedFile;
  readonly #entries = new AgedMap<Waiting<WatchedEntry>>();
  readonly #lines = new AgedMap<Waiting<AccessLogLine>>();
  /** Requests that were told to be unsettled. */
  readonly #unsettled = new Set<string>();
  #listed: Disagreement[] = [];
  #timer: NodeJS.Timeout | null = null;
  #soon: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #failing = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    // What is there already was compared, or is recovery's: only this process's requests have their entries here.
    this.#log = new FollowedFile({
      path: options.accessLogPath,
      since: 0,
      lookBack: 0,
      onLine: (line) => this.#line(line),
    });
  }

  /** The latest disagreements, newest first. */
  list(): readonly Disagreement[] {
    return this.#listed.slice(-MOST_LISTED).reverse();
  }

  /** Every final entry that this process writes, recovery's too. */
  finished(entry: FinalEntry): void {
    const wasTold = this.#unsettled.delete(entry.id);
    // What was refused before any hold never reached a provider, and recovery has read the line itself.
    if (entry.type === 'refusal' || entry.recovered) {
      this.#lines.delete(entry.id);
      return;
    }
    if (wasTold) this.#tell(entry.id, { kind: 'late', line: null, entry: entry.type });
    const watched = watchedEntry(entry);
    const waiting = this.#lines.get(entry.id);
    if (waiting) {
      this.#lines.delete(entry.id);
      this.#pair(waiting.what, watched);
      return;
    }
    const dropped = put(this.#entries, entry.id, { what: watched, since: this.#options.now() });
    if (dropped !== null) this.#tell(dropped, { kind: 'unwatched', line: null, entry: null });
    if (this.#entries.size >= MANY && this.#timer !== null)
      this.#soon ??= setTimeout(() => this.#checkSoon(), SOON_MS).unref();
  }

  /** Begins where the log ends now. */
  async start(): Promise<void> {
    await this.check();
    this.#timer = setInterval(() => void this.#checkQuietly(), this.#options.pollMs ?? POLL_MS).unref();
  }

  /** Reads the log to its end and looks for what has been missing for too long. */
  check(): Promise<void> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    if (this.#soon) clearTimeout(this.#soon);
    this.#timer = null;
    await this.#checkQuietly();
    await this.#log.close();
  }

  #checkSoon(): void {
    void this.#checkQuietly().finally(() => {
      this.#soon = null;
    });
  }

  async #checkQuietly(): Promise<void> {
    try {
      await this.check();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#options.onProblem("Envoy's access log could not be compared with the ledger", error);
      this.#failing = true;
    }
  }

  async #pass(): Promise<void> {
    await this.#log.poll();
    await this.#missEntries();
    this.#missLines();
  }

  #line(bytes: Buffer): void {
    const facts = plainFacts(bytes.toString('latin1'));
    // Of several workers each sees the lines of all.
    if (facts !== null && !this.#options.isOurs(facts.generation)) return;
    const waiting = facts === null ? undefined : this.#entries.get(facts.id);
    if (facts === null || waiting === undefined) this.#unusualLine(bytes);
    else {
      this.#entries.delete(facts.id);
      this.#pair(facts, waiting.what);
    }
  }

  /** Of a request whose entry has not come yet, or that ended in an unusual way. */
  #unusualLine(bytes: Buffer): void {
    const id = lineId(bytes);
    const entry = id === null ? undefined : this.#entries.get(id);
    // Most lines of a gateway that refuses much are about requests that nobody paid for.
    if (!entry && bytes.includes(NO_ATTEMPT)) return;
    const generation = entry ? null : lineGeneration(bytes);
    if (generation !== null && !this.#options.isOurs(generation)) return;
    const line = parseAccessLogLine(bytes.toString('utf8'));
    if (!line || !this.#options.isOurs(line.generation)) return;
    if (entry) {
      this.#entries.delete(line.id);
      this.#pair(line, entry.what);
    } else if (line.attempts > 0) put(this.#lines, line.id, { what: line, since: this.#options.now() });
  }

  #pair(line: AccessLogFacts, entry: WatchedEntry): void {
    for (const difference of compare(line, entry, this.#options.providerOf)) this.#tell(entry.id, difference);
    this.#options.onPair?.(line, entry);
  }

  /** Another process may have written it, or nobody. */
  async #missEntries(): Promise<void> {
    const { now, entryGraceMs = ENTRY_GRACE_MS, find } = this.#options;
    const missing = takeOlder(this.#lines, now() - entryGraceMs);
    if (missing.size === 0) return;
    let since = Number.POSITIVE_INFINITY;
    for (const line of missing.values()) since = Math.min(since, Date.parse(line.time) || 0);
    const found = await find(new Set(missing.keys()), since - SLACK_MS);
    for (const [id, line] of missing) {
      const { hold = null, final = null } = found.get(id) ?? {};
      if (final) this.#pair(line, watchedEntry(final));
      else if (hold) this.#tellUnsettled(line);
      else this.#tell(id, { kind: 'missing_entry', line: line.status, entry: null });
    }
  }

  #tellUnsettled(line: AccessLogLine): void {
    this.#tell(line.id, { kind: 'unsettled', line: line.status, entry: null });
    this.#unsettled.add(line.id);
    const [oldest] = this.#unsettled;
    if (this.#unsettled.size > MOST_LISTED && oldest !== undefined) this.#unsettled.delete(oldest);
  }

  #missLines(): void {
    const { now, lineGraceMs = LINE_GRACE_MS } = this.#options;
    for (const [id, entry] of takeOlder(this.#entries, now() - lineGraceMs)) {
      this.#tell(id, { kind: 'missing_line', line: null, entry: entry.status });
    }
  }

  #tell(id: string, what: Pick<Disagreement, 'line' | 'entry'> & { readonly kind: DisagreementKind }): void {
    const disagreement = { time: new Date(this.#options.now()).toISOString(), id, ...what };
    this.#listed.push(disagreement);
    if (this.#listed.length >= 2 * MOST_LISTED) this.#listed = this.#listed.slice(-MOST_LISTED);
    this.#options.onDisagreement(disagreement);
  }
}

const NO_ATTEMPT = Buffer.from('"attempts":0');

interface Waiting<T> {
  readonly what: T;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** The id that had to go, or null. */
function put<T>(waiting: AgedMap<Waiting<T>>, id: string, one: Waiting<T>): string | null {
  waiting.add(id, one);
  const oldest = waiting.oldest();
  if (waiting.size <= MOST_WAITING || oldest === null) return null;
  waiting.delete(oldest.key);
  return oldest.key;
}

/** Takes out what has waited since before `time`. */
function takeOlder<T>(waiting: AgedMap<Waiting<T>>, time: number): Map<string, T> {
  const taken = new Map<string, T>();
  for (let oldest = waiting.oldest(); oldest !== null && oldest.value.since <= time; oldest = waiting.oldest()) {
    waiting.delete(oldest.key);
    taken.set(oldest.key, oldest.value.what);
  }
  return taken;
}
