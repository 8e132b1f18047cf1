// Runs compiled test files with tap, each in its own process, and prints one line for each.
// Why not the `tap` command: docs/decisions/0006-tests.md.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import t from 'tap';
import { sourceFiles } from './build.mjs';
import { describeFailure, fullName } from './failures.mjs';
import { root } from './project.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: 'string' },
    timeout: { type: 'string' },
    seed: { type: 'string', default: '1122' },
    verbose: { type: 'boolean', default: false },
  },
});

// Files that start Envoys of their own. They come last, and fewer at a time: one keeps two cores busy.
const heavyFolders = ['test/e2e/', 'test/faults/'];
const jobs = Number(values.jobs ?? process.env.TOLLGATE_TEST_JOBS ?? availableParallelism());
const seconds = values.timeout === undefined ? null : Number(values.timeout);
const totals = { passed: 0, failed: 0, skipped: 0 };
const failedFiles = [];
const skippedTests = [];

// tap gives every process below it a hook that watches coverage, by environment: the services that the tests start
// would carry it too, and write its files when they end.
const nodeOptions = process.env.NODE_OPTIONS ? [`NODE_OPTIONS=${process.env.NODE_OPTIONS}`] : [];
const cleanEnvironment = ['-u', 'NODE_OPTIONS', '-u', '_TAPJS_PROCESSINFO_COVERAGE_', ...nodeOptions];

const wanted = sourceFiles().filter((file) => file.endsWith('.test.ts') && isWanted(file));
const isHeavy = (file) => heavyFolders.some((folder) => file.startsWith(folder));
t.register(); // before anything is written: keeps tap from piping raw TAP to stdout
t.resume();
t.setTimeout(0); // files have limits, the whole has none
if (wanted.length === 0) {
  process.stdout.write(`no test file matches ${positionals.join(' ')}\n`);
  totals.failed = 1;
}
await runAll(
  wanted.filter((file) => !isHeavy(file)),
  jobs,
);
await runAll(wanted.filter(isHeavy), Math.max(1, Math.floor(jobs / 2)));
finish();

function isWanted(file) {
  if (positionals.length === 0) return true;
  return positionals.some((path) => file.startsWith(path.replace(/^\.\//, '').replace(/\.js$/, '.ts')));
}

// Also where the property is in a file that the test imports.
function hasProperties(file, seen = new Set()) {
  if (seen.has(file)) return false;
  seen.add(file);
  const source = readFileSync(join(root, file), 'utf8');
  if (source.includes("from 'fast-check'")) return true;
  const local = [...source.matchAll(/from '(\.[^']*)\.js'/g)].map(([, path]) => join(dirname(file), `${path}.ts`));
  return local.some((path) => path.startsWith('test/') && hasProperties(path, seen));
}

async function runAll(files, parallel) {
  t.jobs = parallel;
  await Promise.all(files.map((file) => runFile(file)));
}

async function runFile(file) {
  const compiled = join('dist', file.replace(/\.ts$/, '.js'));
  const limit = seconds ?? (isHeavy(file) ? 240 : 60);
  const args = [
    ...cleanEnvironment,
    process.execPath,
    '--enable-source-maps',
    '--no-warnings=ExperimentalWarning',
    ...(hasProperties(file) ? ['--import', join(root, 'scripts/fixed-seed.mjs')] : []),
    compiled,
  ];
  // The file's own timer goes off first: it knows which test hangs.
  const env = { ...process.env, TAP_TIMEOUT: String(limit), TOLLGATE_SEED: values.seed };
  const options = { cwd: root, env, timeout: (limit + 5) * 1000, buffered: true, stdio: ['ignore', 'pipe', 'pipe'] };
  const run = { file, passes: 0, fails: [], skips: [], stderr: '', end: null, started: 0 };
  const spawned = t.spawn('env', args, options, file);
  const { parser } = spawned.subtest;
  parser.on('pass', () => {
    run.passes += 1;
  });
  parser.on('fail', (result) => run.fails.push(result));
  for (const event of ['skip', 'todo']) parser.on(event, (result) => run.skips.push(result));
  const closed = new Promise((resolve) => {
    const started = (child) => {
      watch(run, child);
      child.once('close', resolve);
    };
    // Where a job is free, tap starts the process before it returns.
    if (spawned.subtest.proc) started(spawned.subtest.proc);
    else spawned.subtest.once('process', started);
  });
  const results = await spawned;
  await closed; // the rest of stderr comes after the last line of TAP
  const ok = results?.ok === true;
  // A file that skips itself as a whole (`1..0 # SKIP reason`) has no result of its own.
  if (ok && run.passes + run.skips.length === 0)
    run.skips.push({ name: file, skip: results.plan.comment || 'all of it' });
  report(run, ok);
}

function watch(run, child) {
  run.started = performance.now();
  child.stderr?.on('data', (chunk) => {
    run.stderr += chunk;
    if (values.verbose) process.stderr.write(chunk);
  });
  child.once('exit', (exitCode, signal) => {
    run.end = { exitCode, signal };
  });
}

function report(run, ok) {
  const failed = ok ? run.fails.length : Math.max(1, run.fails.length);
  totals.passed += run.passes;
  totals.failed += failed;
  totals.skipped += run.skips.length;
  for (const result of run.skips) skippedTests.push(`${fullName(result)} (${result.skip || result.todo})`);
  const time = `${((performance.now() - run.started) / 1000).toFixed(1)} s`;
  const skipped = run.skips.length > 0 ? `, ${run.skips.length} skipped` : '';
  const counts = `${run.passes} passed, ${failed} failed${skipped}`;
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${run.file}: ${counts} (${time})\n`);
  if (ok) return;
  failedFiles.push(run.file);
  process.stdout.write(describeFailure(run));
}

function finish() {
  for (const line of skippedTests) process.stdout.write(`skipped: ${line}\n`);
  // In CI everything that a test needs is there, so a skipped test is a hole.
  if (process.env.CI && process.env.CI !== 'false' && totals.skipped > 0) {
    process.stdout.write(`CI is set: ${totals.skipped} skipped count as failed\n`);
    totals.failed += totals.skipped;
    totals.skipped = 0;
  }
  for (const file of failedFiles) process.stdout.write(`failed: ${file}\n`);
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
  process.exit(totals.failed === 0 ? 0 : 1);
}
