import { Command } from 'commander';
import { formatAddress } from '../config/address.js';
import type { Address } from '../config/snapshot.js';
import { MOCK_MODELS } from '../mock/models.js';
import { loadRecordings } from '../mock/recording.js';
import { startMock } from '../mock/start-mock.js';
import { startReplay } from '../mock/start-replay.js';
import { addressFlag } from './flags.js';
import { UserError } from './user-error.js';

interface MockFlags {
  readonly listen?: Address;
  readonly port: string;
  readonly host: string;
  readonly replay?: string;
}

/** `tollgate mock`: the mock provider alone, or recordings from a directory, until SIGINT or SIGTERM. */
export function mockCommand(): Command {
  return new Command('mock')
    .description('run the mock provider alone')
    .option('--listen <host:port>', 'where to listen, in place of --host and --port', addressFlag)
    .option('--port <port>', 'port to listen on; 0 takes a free one', '8091')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--replay <directory>', 'answer with recordings; the model of a request is <id> or <id>@whole|bytes|seams')
    .action(runMock);
}

async function runMock(flags: MockFlags): Promise<void> {
  const where = flags.listen ?? { host: flags.host, port: portOf(flags.port) };
  const recordings = flags.replay === undefined ? null : loadRecordings(flags.replay);
  const running = recordings === null ? await startMock(where) : await startReplay(recordings, where);
  const lines = recordings === null ? modelLines() : [`${recordings.length} recordings`];
  process.stdout.write(`mock provider on http://${formatAddress(running.address)}/v1\n`);
  process.stdout.write(`${lines.join('\n')}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close());
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UserError(`not a port: ${text}`);
  return port;
}

function modelLines(): string[] {
  return MOCK_MODELS.map((model) => `  ${model.name.padEnd(16)} ${model.answer}`);
}
