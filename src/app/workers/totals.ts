import { readdirSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mergeMetrics } from './merge-metrics.js';

/** A killed process takes no more than the last second of its counts with it. */
const SAVE_MS = 1_000;
const FILE = /^totals-(\d+)\.prom$/;
/** Counts of ended processes in one file, so that restarts do not add up to thousands. */
const ENDED_FILE = 'totals-0.prom';
/** Its first line: generations that are in it. Their own files may still be there after a crash. */
const ENDED_HEAD = '# generations ';
const MOST_FILES = 16;

export interface TotalsOptions {
  readonly directory: string;
  readonly generation: number;
  /** Counters and histograms as Prometheus text. */
  readonly render: () => Promise<string>;
  readonly onProblem: (error: unknown) => void;
}

/** Keeps what this process has counted in a file, for when it has ended: the sum over all processes must not go down. */
export class SavedTotals {
  readonly #options: TotalsOptions;
  #timer: NodeJS.Timeout | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: TotalsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.save(), SAVE_MS).unref();
  }

  /** One at a time. Never rejects. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      try {
        const { directory, generation, render } = this.#options;
        await place(join(directory, `totals-${generation}.prom`), await render());
      } catch (error) {
        this.#options.onProblem(error);
      }
    });
    return this.#saving;
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.save();
  }
}

/** The saved counts of all processes but those in `except`, one page each. */
export async function readTotals(directory: string, except: ReadonlySet<number>): Promise<readonly string[]> {
  const ended = await read(join(directory, ENDED_FILE));
  const counted = generationsIn(ended);
  const wanted = generations(directory).filter((number) => !except.has(number) && !counted.has(number));
  const pages = await Promise.all(wanted.map((number) => read(join(directory, `totals-${number}.prom`))));
  return [...pages, ended];
}

/** Puts the files of ended processes together, when there are many. By one process at a time; a crash in between loses nothing. */
export async function foldTotals(directory: string, living: ReadonlySet<number>): Promise<void> {
  const over = generations(directory).filter((number) => !living.has(number));
  if (over.length < MOST_FILES) return;
  const pages = await readTotals(directory, living);
  const head = `${ENDED_HEAD}${JSON.stringify(over)}`;
  await place(join(directory, ENDED_FILE), `${head}\n${mergeMetrics(pages)}`);
  for (const number of over) await rm(join(directory, `totals-${number}.prom`), { force: true });
}

function generations(directory: string): readonly number[] {
  const numbers = readdirSync(directory).flatMap((name) => FILE.exec(name)?.[1] ?? []);
  return numbers.map(Number).filter((number) => number > 0);
}

function generationsIn(page: string): ReadonlySet<number> {
  if (!page.startsWith(ENDED_HEAD)) return new Set();
  return new Set(JSON.parse(page.slice(ENDED_HEAD.length, page.indexOf('\n'))) as number[]);
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

async function place(path: string, page: string): Promise<void> {
  const draft = `${path}.${process.pid}.partial`;
  await writeFile(draft, page);
  await rename(draft, path);
}
