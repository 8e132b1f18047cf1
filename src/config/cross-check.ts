import { keyMistakes } from './check-keys.js';
import { limitMistakes } from './check-limits.js';
import { listenerMistakes } from './check-listeners.js';
import { modelMistakes } from './check-models.js';
import { moneyMistakes } from './check-money.js';
import { providerMistakes } from './check-providers.js';
import { serviceMistakes } from './check-services.js';
import type { Environment, KnownKinds } from './known-kind.js';
import type { Mistake } from './problem.js';
import { entriesOf } from './raw-view.js';

/**
 * Everything that one setting must know of another. Works on the raw values, so that a mistake of shape in one place
 * hides no mistake in another.
 */
export function crossCheck(raw: unknown, kinds: KnownKinds, env: Environment): readonly Mistake[] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return [];
  const providers = entriesOf(raw, 'providers').map(([name]) => name);
  return [
    ...providerMistakes(raw, kinds, env),
    ...modelMistakes(raw, providers),
    ...keyMistakes(raw, providers),
    ...limitMistakes(raw, providers),
    ...moneyMistakes(raw),
    ...serviceMistakes(raw, providers),
    ...listenerMistakes(raw),
  ];
}
