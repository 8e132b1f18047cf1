import { existsSync, writeFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Where distributions keep their bundle of trusted roots. */
const SYSTEM_BUNDLES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Arch, Envoy's own image
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', // CentOS
  '/etc/ssl/cert.pem', // Alpine, macOS, BSD
];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `$SSL_CERT_FILE`, else the system's bundle, else null. Throws when `$SSL_CERT_FILE` names a file that is not there:
 * a missing private root must not be replaced by public ones.
 */
export function systemCaBundle(env: Environment, bundles: readonly string[] = SYSTEM_BUNDLES): string | null {
  const asked = env['SSL_CERT_FILE'];
  if (asked !== undefined && asked !== '') {
    if (!existsSync(asked)) throw new Error(`SSL_CERT_FILE names ${asked}, which does not exist`);
    return asked;
  }
  return bundles.find((path) => existsSync(path)) ?? null;
}

/**
 * The PEM bundle for providers' certificates: as `systemCaBundle`, else Node's own roots, written to `writeTo` (beside
 * the socket, where Envoy can read it). Throws as `node:fs` does when that cannot be written.
 */
export function findCaBundle(writeTo: string, env: Environment, bundles: readonly string[] = SYSTEM_BUNDLES): string {
  const system = systemCaBundle(env, bundles);
  if (system !== null) return system;
  writeFileSync(writeTo, `${rootCertificates.join('\n')}\n`);
  return writeTo;
}
