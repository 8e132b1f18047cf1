import type { ProviderKind } from '../kind.js';
import { chooseCredential } from './choose.js';
import type { CredentialPool } from './credential-pool.js';
import { credentialHeader } from './header.js';

/** Keys that stand in the configuration, and nothing else. */
export function createStaticPool(kinds: ReadonlyMap<string, ProviderKind>): CredentialPool {
  return {
    authorise(account, { rotation }) {
      const kind = kinds.get(account.kind);
      const credential = chooseCredential(account, rotation);
      const header = kind ? credentialHeader(kind, credential) : null;
      if (header === null || credential === null) return { headers: [], secrets: [], index: -1 };
      return {
        headers: [header],
        secrets: [credential.secret.reveal()],
        index: account.credentials.indexOf(credential),
      };
    },
    refused() {},
    hasOther: () => false,
  };
}
