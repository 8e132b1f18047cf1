import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A checkout is the current directory: `npm run bench` starts there. */
function git(...words: string[]): string {
  return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/**
 * What to compare with: the last commit that changed `src/` if it differs from the files that lie here, else the one
 * before it.
 *
 * @param asked `--base`
 * @returns null when there is none, as in a shallow clone or without git
 * @throws Error if `asked` is no revision
 */
export function baseRevision(asked: string | null): string | null {
  if (asked !== null) return git('rev-parse', '--verify', `${asked}^{commit}`);
  try {
    const changed = git('status', '--porcelain', '--', 'src') !== '';
    const [last, before] = git('log', '-2', '--format=%H', '--', 'src').split('\n');
    const base = changed ? last : before;
    // The last commit of a shallow clone seems to change everything.
    return base !== undefined && base !== '' && hasSources(base) ? base : null;
  } catch {
    return null;
  }
}

function hasSources(revision: string): boolean {
  return spawnSync('git', ['cat-file', '-e', `${revision}:src/main.ts`]).status === 0;
}

/**
 * The sources of a revision, compiled; kept in the cache, so that each is built once. Types are not checked.
 *
 * @returns a folder with `src/` compiled below `dist/`, and all else as it is in that revision
 */
export function builtRevision(revision: string, compiler: string, packages: string): string {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tollgate', 'bench');
  const folder = join(cache, revision);
  if (existsSync(folder)) return folder;
  const building = `${folder}.${process.pid}`;
  mkdirSync(building, { recursive: true });
  try {
    const archive = execFileSync('git', ['archive', revision], { maxBuffer: 1 << 30 });
    execFileSync('tar', ['-x', '-C', building], { input: archive });
    symlinkSync(packages, join(building, 'node_modules'));
    const project = { extends: './tsconfig.json', compilerOptions: { incremental: false }, include: ['src'] };
    writeFileSync(join(building, 'tsconfig.base.json'), JSON.stringify(project));
    const words = [compiler, '-p', 'tsconfig.base.json', '--noCheck', '--outDir', 'dist'];
    execFileSync(process.execPath, words, { cwd: building, stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(building, folder);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return folder;
}

/** Puts today's cases beside the sources of that revision. @returns the folder of the cases, and how to remove it */
export function casesBeside(folder: string, bench: string): { readonly folder: string; remove(): void } {
  const copy = join(folder, 'dist', `bench-${process.pid}`);
  cpSync(bench, copy, { recursive: true });
  return { folder: join(copy, 'micro'), remove: () => rmSync(copy, { recursive: true, force: true }) };
}
