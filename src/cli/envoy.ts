import { join } from 'node:path';
import { Command } from 'commander';
import { renderBootstrapYaml } from '../envoy/bootstrap.js';
import { systemCaBundle } from '../envoy/ca-bundle.js';
import { CONTAINER_PATHS } from '../envoy/default-bootstrap.js';
import { type BootstrapOptions, standardPaths } from '../envoy/options.js';
import { withConfigFlag } from './flags.js';
import { readSnapshot } from './read-snapshot.js';

interface EnvoyFlags {
  readonly config?: string;
  readonly container?: true;
  readonly static?: true;
}

/** `tollgate envoy`: prints the Envoy bootstrap for this configuration as YAML. */
export function envoyCommand(): Command {
  return withConfigFlag(new Command('envoy'))
    .description('print the Envoy bootstrap for this configuration')
    .option('--container', 'with the paths of the container images instead of local ones')
    .option('--static', 'with the provider clusters inside, instead of the watched file')
    .action((flags: EnvoyFlags) => {
      const snapshot = readSnapshot(flags.config);
      const paths = flags.container ? CONTAINER_PATHS : localPaths(snapshot);
      process.stdout.write(renderBootstrapYaml(snapshot, flags.static ? { ...paths, cdsPath: null } : paths));
    });
}

/** Printing writes nothing, not even a CA bundle: where the system has none, the one beside the socket is named. */
function localPaths(snapshot: Parameters<typeof standardPaths>[0]): BootstrapOptions {
  const ownBundle = join(snapshot.runtimeDirectory, 'ca.pem');
  return { ...standardPaths(snapshot), caBundle: systemCaBundle(process.env) ?? ownBundle };
}
