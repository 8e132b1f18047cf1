import { Command } from 'commander';
import { MOCK_MODELS } from '../mock/models.js';
import { loadRecordings } from '../mock/recording.js';
import { startMock } from '../mock/start-mock.js';
import { startReplay } from '../mock/start-replay.js';

interface MockFlags {
  readonly port: string;
  readonly host: string;
  readonly replay?: string;
}

/** `tollgate mock`: the mock provider alone, or recordings from a directory, until SIGINT or SIGTERM. */
export function mockCommand(): Command {
  return new Command('mock')
    .description('run the mock provider alone')
    .option('--port <port>', 'port to listen on; 0 takes a free one', '8091')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--replay <directory>', 'answer with recordings; the model of a request is <id> or <id>@whole|bytes|seams')
    .action(runMock);
}

async function runMock(flags: MockFlags): Promise<void> {
  const port = Number(flags.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`not a port: ${flags.port}`);
  const where = { host: flags.host, port };
  const recordings = flags.replay === undefined ? null : loadRecordings(flags.replay);
  const running = recordings === null ? await startMock(where) : await startReplay(recordings, where);
  const { host, port: real } = running.address;
  const lines = recordings === null ? modelLines() : [`${recordings.length} recordings`];
  process.stdout.write(`mock provider on http://${host.includes(':') ? `[${host}]` : host}:${real}/v1\n`);
  process.stdout.write(`${lines.join('\n')}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.close());
}

function modelLines(): string[] {
  return MOCK_MODELS.map((model) => `  ${model.name.padEnd(16)} ${model.answer}`);
}
