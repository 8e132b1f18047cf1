import { parentPort, workerData } from 'node:worker_threads';
import { giveWay } from '../give-way.js';
import { PATIENCE_MS, RecordsEngine } from './engine.js';
import { LedgerFollower } from './follow-ledger.js';
import { type EngineOptions, type RecordQuery, RecordsUnavailableError, type UsageQuery } from './record.js';
import type { FromRecords, ToRecords } from './records-protocol.js';

// The thread that `createRecords` starts: everything that may wait for a disk or a database happens here.

/** How long a question waits for the entries before it, while a long ledger is taken over. */
const FRESH_MS = 200;

giveWay();
const options: EngineOptions = workerData;
const engine = new RecordsEngine(options);
const follower = new LedgerFollower(engine, {
  onState: (state) => tell({ kind: 'state', state }),
  onProblem: (message) => tell({ kind: 'problem', message }),
});

parentPort?.on('message', (message: ToRecords) => {
  if (message.kind === 'poke') follower.poke();
  else if (message.kind === 'retention') engine.retention = message.retention;
  else if (message.kind === 'ask') void answer(message);
  else void follower.stop().finally(() => parentPort?.close());
});

async function answer({ number, method, argument }: Extract<ToRecords, { kind: 'ask' }>): Promise<void> {
  try {
    if (method === 'get') follower.hurry(FRESH_MS + PATIENCE_MS);
    await follower.fresh(FRESH_MS);
    tell({ kind: 'answer', number, value: await ask(method, argument) });
  } catch (error) {
    if (error instanceof RangeError) tell({ kind: 'refusal', number, invalid: true, reason: error.message });
    else tell({ kind: 'refusal', number, invalid: false, reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof RecordsUnavailableError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/** The arguments come from `createRecords`, which has the types. */
function ask(method: Extract<ToRecords, { kind: 'ask' }>['method'], argument: unknown): Promise<unknown> {
  if (method === 'list') return engine.list(argument as RecordQuery);
  if (method === 'entries') return engine.entries(argument as RecordQuery);
  if (method === 'usage') return engine.usage(argument as UsageQuery);
  if (method === 'content') return engine.content(String(argument));
  return engine.get(String(argument));
}

function tell(message: FromRecords): void {
  parentPort?.postMessage(message);
}
