import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface TestServers {
  findServer(kind: ServerKind): string | null;
  findPostgres(): string | null;
}

export type ServerKind = 'redis' | 'valkey';

// By path from the project's root, because the scripts are not compiled.
const script: TestServers = await import(pathToFileURL(join(process.cwd(), 'scripts/test-servers.mjs')).href);

/** False, or why tests with this server have to be skipped: for tap's option `skip`. */
export function missing(kind: ServerKind | 'postgres'): false | string {
  const found = kind === 'postgres' ? script.findPostgres() : script.findServer(kind);
  return found === null ? `no ${kind} for this platform (npm run setup)` : false;
}

export function serverBinary(kind: ServerKind): string {
  const found = script.findServer(kind);
  if (found === null) throw new Error(`there is no ${kind}: npm run setup`);
  return found;
}

/** The folder with Postgres' `bin`, `lib` and `share`. */
export function postgresFolder(): string {
  const found = script.findPostgres();
  if (found === null) throw new Error('there is no Postgres: npm run setup');
  return found;
}
