import { dirname, isAbsolute, resolve } from 'node:path';
import { compile } from './compile.js';
import { crossCheck } from './cross-check.js';
import type { KnownKinds } from './known-kind.js';
import { inReadingOrder, type Mistake, type Problem, pathText } from './problem.js';
import { fieldOf, itemsOf, textOf } from './raw-view.js';
import { errorCode, References, type Surroundings } from './references.js';
import type { Snapshot } from './snapshot.js';
import { validate } from './validate.js';
import { readTree, type Tree } from './yaml-tree.js';

export interface LoadContext extends Surroundings {
  readonly kinds: KnownKinds;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface ConfigText {
  /** As the user named it; problems repeat it. Relative paths in the text are relative to its directory. */
  readonly path: string;
  readonly text: string;
}

export interface Loaded {
  readonly snapshot: Snapshot;
  /** True, but perhaps not meant: an expired key. Never a reason to refuse. */
  readonly warnings: readonly Problem[];
  /** Files behind `file:` references, absolute; a change of one of them is a change of the configuration. */
  readonly files: readonly string[];
}

export interface Refused {
  /** All mistakes in reading order; at least one. */
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
}

/**
 * Text → raw → validated → compiled. Never throws for what is in the text: every mistake is a problem with line and
 * column, and all of them come at once.
 */
export function loadConfig(source: ConfigText, context: LoadContext): Loaded | Refused {
  const path = isAbsolute(source.path) ? source.path : resolve(source.path);
  const directory = dirname(path);
  const references = new References(context, directory);
  const tree = readTree(source.text, references);
  const files = [...references.files];
  const secrets = [...references.values, ...literalSecrets(tree.raw)];
  const report = (mistakes: readonly Mistake[]) =>
    locate(mistakes, tree, source.path).map((problem) => scrub(problem, secrets));

  if (tree.broken) return { problems: report(tree.mistakes), files };
  const { valid, mistakes } = validate(tree.raw);
  const crossed = [...crossCheck(tree.raw, context.kinds, context.env), ...tlsMistakes(tree.raw, directory, context)];
  const all = [...tree.mistakes, ...[...mistakes, ...crossed].filter((mistake) => !tree.isUnresolved(mistake.path))];
  if (valid === null || all.length > 0) return { problems: report(all), files };
  const snapshot = compile(valid, { path, directory, env: context.env }, context.kinds);
  return { snapshot, warnings: report(expiredKeys(snapshot, context.now())), files };
}

function locate(mistakes: readonly Mistake[], tree: Tree, file: string): readonly Problem[] {
  const problems = mistakes.map((mistake) => {
    return { file, ...tree.locate(mistake), path: pathText(mistake.path), message: mistake.message };
  });
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return inReadingOrder([...once.values()]);
}

/** The last line of defence: whatever a message is made of, a secret is not left in it. */
function scrub(problem: Problem, secrets: readonly string[]): Problem {
  const clean = (text: string) => {
    return secrets.reduce((left, secret) => (secret.length < 8 ? left : left.replaceAll(secret, '…')), text);
  };
  return { ...problem, path: clean(problem.path), message: clean(problem.message) };
}

/** Secrets that stand in the file itself. */
function literalSecrets(raw: unknown): readonly string[] {
  const admin = fieldOf(raw, 'admin');
  const keys = itemsOf(raw, 'keys').map((key) => textOf(key, 'secret'));
  const accounts = Object.values(fieldOf(raw, 'providers') ?? {});
  const credentials = accounts.flatMap((account) => {
    const given = fieldOf(account, 'credentials');
    return (Array.isArray(given) ? given : [given]).flatMap(credentialSecrets);
  });
  const all = [
    ...keys,
    ...credentials,
    textOf(admin, 'token'),
    textOf(admin, 'pepper'),
    textOf(fieldOf(raw, 'records'), 'url'),
    textOf(fieldOf(raw, 'store'), 'url'),
    ...[fieldOf(raw, 'alerts'), ...Object.values(fieldOf(raw, 'exporters') ?? {})].flatMap(senderSecrets),
  ];
  return all.filter((text) => text !== null);
}

function credentialSecrets(credential: unknown): readonly (string | null)[] {
  if (typeof credential === 'string') return [credential];
  return ['secret', 'secret_access_key', 'session_token', 'client_secret'].map((name) => textOf(credential, name));
}

/** The URL of a webhook often is its password. */
function senderSecrets(sender: unknown): readonly (string | null)[] {
  return [textOf(sender, 'secret'), textOf(sender, 'webhook'), textOf(sender, 'url')];
}

/** Envoy reads these files, but it says less clearly than we do what is wrong with them. */
function tlsMistakes(raw: unknown, directory: string, surroundings: Surroundings): readonly Mistake[] {
  const tls = fieldOf(fieldOf(raw, 'gateway'), 'tls');
  return ['certificate', 'key'].flatMap((name): readonly Mistake[] => {
    const file = textOf(tls, name)?.replace(/^file:/, '') ?? '';
    if (file === '') return [];
    const message = pemMistake(resolve(directory, file), surroundings);
    return message === null ? [] : [{ path: ['gateway', 'tls', name], at: 'value', message }];
  });
}

function pemMistake(file: string, surroundings: Surroundings): string | null {
  try {
    return surroundings.readFile(file).includes('-----BEGIN ') ? null : `${file} is no PEM file`;
  } catch (error) {
    return `cannot read ${file} (${errorCode(error)})`;
  }
}

function expiredKeys(snapshot: Snapshot, now: number): readonly Mistake[] {
  return snapshot.keys.flatMap((key, index): readonly Mistake[] => {
    if (key.expiresAt === null || key.expiresAt > now) return [];
    return [{ path: ['keys', index, 'expires'], at: 'value', message: `key "${key.id}" has expired` }];
  });
}
