import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from '../../src/config/snapshot.js';
import { findEnvoy } from '../../src/envoy/binary.js';
import { renderBootstrapYaml } from '../../src/envoy/bootstrap.js';
import { renderClusters, writeClusters } from '../../src/envoy/cds.js';
import { waitForListener } from '../../src/envoy/envoy-admin.js';
import { startEnvoy } from '../../src/envoy/run-envoy.js';
import { type Processor, type Script, startProcessor } from './scripted-processor.js';
import { settings } from './snapshots.js';

type Line = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly id: string;
  /** False when the connection broke before the end of the body. */
  readonly complete: boolean;
}

export interface EnvoyUnderTest {
  readonly gateway: Address;
  readonly admin: Address;
  readonly processor: Processor;
  ask(script: Script, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** The access log's line for a request; waits for it. */
  accessLine(id: string): Promise<Line>;
  /** The lines for failed attempts of a request that has ended, in their order. */
  attemptLines(id: string): Promise<readonly Line[]>;
  readonly attemptLogPath: string;
  stop(): Promise<void>;
}

/** A real Envoy with the rendered configuration, a scripted processor and these providers, which are never ejected. */
export async function startEnvoyUnderTest(
  providers: Readonly<Record<string, string>>,
  caBundle: string,
): Promise<EnvoyUnderTest> {
  const found = findEnvoy('auto', process.env);
  if (!('path' in found)) throw new Error(found.problem);
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-envoy-'));
  const logs = join(directory, 'logs');
  mkdirSync(logs);
  const options = {
    socket: join(directory, 'extproc.sock'),
    cdsPath: join(directory, 'cds.json'),
    accessLogPath: join(logs, 'access.jsonl'),
    attemptLogPath: join(logs, 'attempts.jsonl'),
    caBundle,
  };
  const config = settings({ providers });
  writeFileSync(join(directory, 'envoy.yaml'), renderBootstrapYaml(config, options));
  const { resources, version_info } = renderClusters(config, options);
  const unwatched = resources.map((cluster) => ({ ...cluster, outlier_detection: undefined }));
  await writeClusters(options.cdsPath, { version_info, resources: unwatched });
  const processor = await startProcessor(options.socket);
  const envoy = startEnvoy({
    binary: found.path,
    bootstrapPath: join(directory, 'envoy.yaml'),
    logPath: join(logs, 'envoy.log'),
    adminAddressPath: join(directory, 'admin.txt'),
    concurrency: 1,
    onExit: () => undefined,
  });
  const admin = await envoy.admin();
  const gateway = await waitForListener(admin, 15_000);
  const accessLine = (id: string) => lineOf(options.accessLogPath, id);
  return {
    gateway,
    admin,
    processor,
    ask: (script, headers = {}) => ask(gateway, script, headers),
    accessLine,
    attemptLines: async (id) => {
      const { connection } = await accessLine(id);
      // Each file has its own clock of 50 ms.
      await pause(60);
      return lines(options.attemptLogPath).filter((line) => line['connection'] === connection);
    },
    attemptLogPath: options.attemptLogPath,
    stop: async () => {
      await envoy.stop(0);
      processor.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function ask(gateway: Address, script: Script, more: Readonly<Record<string, string>>): Promise<Reply> {
  const headers = { 'x-tollgate-metadata': JSON.stringify(script), authorization: 'Bearer gateway-key', ...more };
  const options = { ...gateway, path: '/v1/chat/completions', method: 'POST', headers, agent: false } as const;
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      const id = String(response.headers['x-request-id']);
      const done = () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, id, complete: response.complete });
      response.on('close', done);
      response.on('error', () => undefined);
    });
    call.on('error', reject);
    call.end('{"model":"smart"}');
  });
}

function lines(path: string): readonly Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

async function lineOf(path: string, id: string): Promise<Line> {
  for (let tries = 0; tries < 200; tries += 1) {
    const line = lines(path).find((entry) => entry['id'] === id);
    if (line !== undefined) return line;
    await pause(10);
  }
  throw new Error(`no line for ${id} in ${path}`);
}
