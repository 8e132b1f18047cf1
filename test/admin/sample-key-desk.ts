import { IssuedKeys } from '../../src/policy/keys/issued-keys.js';
import type { KeyDesk } from '../../src/policy/keys/key-desk.js';
import { LocalKeyDesk } from '../../src/policy/keys/local-key-desk.js';
import { createPepper } from '../../src/policy/keys/pepper.js';
import type { KeyStore } from '../../src/store/keys/key-store.js';
import { snapshot } from './sample-snapshot.js';

/** The fixed keys of the sample, and a store that cannot be reached. */
export function sampleKeyDesk(): KeyDesk {
  const pepper = createPepper('p');
  const look = async (): Promise<void> => {};
  const store: KeyStore = {
    follow: look,
    look,
    close: look,
    put: async () => ({ kind: 'unavailable', error: new Error('secret-host is down') }),
  };
  const issued = new IssuedKeys({ peppers: [pepper], look, onProblem: () => {} });
  const { keys } = snapshot();
  return new LocalKeyDesk({ store, issued, fixed: () => keys, pepper, now: Date.now, by: 'admin', audit: () => {} });
}
