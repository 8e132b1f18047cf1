import { execFile } from 'node:child_process';

/**
 * Has Envoy itself read a bootstrap file (`envoy --mode validate`). Resolves to its complaints, empty when it is fine.
 * Files that the bootstrap names (CDS, certificates) must exist; nothing is opened for writing and no port is used.
 */
export function validateWithEnvoy(binary: string, path: string): Promise<readonly string[]> {
  const parameters = ['--mode', 'validate', '--config-path', path, '--log-level', 'warning', '--log-format', '%v'];
  return new Promise((resolve) => {
    execFile(binary, parameters, { timeout: 30_000 }, (error, _stdout, stderr) => {
      if (error === null) resolve([]);
      else resolve(complaints(stderr, error.message));
    });
  });
}

/** The last lines say why; deprecation warnings may stand before them. */
function complaints(stderr: string, otherwise: string): readonly string[] {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => line.startsWith('error initializing'));
  if (errors.length > 0) return errors;
  return lines.length > 0 ? lines.slice(-3) : [otherwise];
}
