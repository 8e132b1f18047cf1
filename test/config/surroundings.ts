import { IDLE_MOCK, withMock } from '../../src/config/context.js';
import { type LoadContext, loadConfig } from '../../src/config/load.js';
import { formatProblem, type Problem } from '../../src/config/problem.js';
import type { Snapshot } from '../../src/config/snapshot.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';

/** Made-up secrets: none of them may ever be in a message. */
export const SECRETS = {
  OPENAI_API_KEY: 'sk-proj-canary-OPENAI-0123456789',
  WEB_KEY: 'canary-web-key-0123456789',
  CI_KEY: 'canary-ci-key-9876543210',
  ADMIN_TOKEN: 'canary-admin-token-555',
  FILE_KEY: 'canary-file-key-777777',
} as const;

const FILES: Readonly<Record<string, string>> = {
  '/run/secrets/key': `${SECRETS.FILE_KEY}\n`,
  '/etc/tollgate/beside.txt': 'canary-beside-888888\r\n',
  '/etc/tls/tls.crt': '-----BEGIN CERTIFICATE-----\n',
  '/etc/tls/tls.key': '-----BEGIN PRIVATE KEY-----\n',
  '/etc/tls/garbage': 'not pem',
};

/** Surroundings with a fixed environment, a few files and a clock that stands at 2026-06-01. */
export function surroundings(change: Partial<LoadContext> = {}): LoadContext {
  return {
    kinds: withMock(PROVIDER_KINDS, IDLE_MOCK),
    env: { ...SECRETS, EMPTY: '', LIMIT: '8MiB', YES: 'true', THREE: '3', NAME: 'openai' },
    readFile: (path) => {
      const text = FILES[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
    now: () => Date.parse('2026-06-01T00:00:00Z'),
    ...change,
  };
}

/** A replacement of `cut` characters at `at`. */
export interface Edit {
  readonly at: number;
  readonly cut: number;
  readonly piece: string;
}

/** The problems of a text after edits; throws when it is refused without a problem, or a problem is at no real place. */
export function problemsAfter(text: string, edits: readonly Edit[]): readonly Problem[] {
  const edited = edits.reduce((left, { at, cut, piece }) => left.slice(0, at) + piece + left.slice(at + cut), text);
  const result = loadConfig({ path: '/etc/tollgate/tollgate.yaml', text: edited }, surroundings());
  if ('snapshot' in result) return [];
  if (result.problems.length === 0) throw new Error('refused without a problem');
  const lines = edited.split('\n').length;
  for (const { line, column } of result.problems) {
    if (!(line >= 1 && line <= lines && column >= 1)) throw new Error(`no such place: ${line}:${column}`);
  }
  return result.problems;
}

/** Loads text as `/etc/tollgate/tollgate.yaml`; gives the formatted problems when there are any. */
export function load(
  text: string,
  context = surroundings(),
): { snapshot: Snapshot | null; problems: readonly string[] } {
  const result = loadConfig({ path: '/etc/tollgate/tollgate.yaml', text }, context);
  if ('problems' in result) return { snapshot: null, problems: result.problems.map(formatProblem) };
  return { snapshot: result.snapshot, problems: [] };
}

/** The snapshot of text that must be valid. */
export function loaded(text: string, context = surroundings()): Snapshot {
  const { snapshot, problems } = load(text, context);
  if (snapshot === null) throw new Error(problems.join('\n'));
  return snapshot;
}
