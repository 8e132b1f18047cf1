// `npm run generate`: writes the files that are made from code. With --check it only compares and fails on a difference.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { become, isProgram, program, root } from './project.mjs';
import { setUp } from './setup.mjs';

/** Each file is the text that one exported function of the build returns. */
export const generators = [
  { file: 'docs/configuration.md', module: 'dist/src/config/reference.js', name: 'configurationReference' },
  { file: 'docs/errors.md', module: 'dist/src/dialects/error-reference.js', name: 'errorReference' },
  {
    file: 'docs/providers.md',
    module: 'dist/src/providers/reference/provider-reference.js',
    name: 'providerReference',
  },
  { file: 'envoy/envoy.yaml', module: 'dist/src/envoy/default-bootstrap.js', name: 'defaultBootstrapYaml' },
];

/**
 * Compares (`check`) or writes every generated file. Returns the names of those that differed.
 * Needs a build and must run under the project's Node.
 */
export async function generate({ check }) {
  const changed = [];
  for (const { file, module, name } of generators) {
    const path = join(root, file);
    const source = await import(pathToFileURL(join(root, module)).href);
    const text = await source[name]();
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    changed.push(file);
    if (!check) writeFileSync(path, text);
  }
  return changed;
}

async function run() {
  const check = process.argv.includes('--check');
  // The second run, under the project's Node and with a build.
  if (!process.argv.includes('--built')) {
    const node = await setUp();
    return become(node, [process.argv[1], '--built', ...process.argv.slice(2)], { cwd: root });
  }
  const changed = await generate({ check });
  for (const file of changed)
    process.stdout.write(check ? `${file} is not current: run npm run generate\n` : `${file}\n`);
  return check && changed.length > 0 ? 1 : 0;
}

if (isProgram(import.meta.url)) program(run);
