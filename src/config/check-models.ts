import type { Mistake, Path } from './problem.js';
import { entriesOf, fieldOf, has, itemsOf, textOf } from './raw-view.js';
import { DEFAULT_RETRY_ON } from './retry-on.js';
import { unknownProvider } from './suggest.js';

/** Models against the providers that their targets name, and settings of a model against each other. */
export function modelMistakes(raw: unknown, providers: readonly string[]): readonly Mistake[] {
  return entriesOf(raw, 'models').flatMap(([name, model]) => {
    const path = ['models', name];
    const targets = itemsOf(model, 'targets');
    const clash = providers.find((provider) => name.startsWith(`${provider}/`));
    const message = `a model's name may not begin with "${clash}/", the name of a provider`;
    return [
      ...(clash === undefined ? [] : [{ path, at: 'key' as const, message }]),
      ...targetMistakes(targets, [...path, 'targets'], providers),
      ...weightMistakes(model, targets, [...path, 'targets']),
      ...clockMistakes(model, path),
      ...ownReasonMistakes(model, targets, [...path, 'targets']),
    ];
  });
}

function targetMistakes(targets: readonly unknown[], path: Path, providers: readonly string[]): readonly Mistake[] {
  const seen = new Set<string>();
  return targets.flatMap((target, index): readonly Mistake[] => {
    const inner = typeof target === 'string' ? null : textOf(target, 'model');
    const name = typeof target === 'string' ? target : inner;
    const slash = name?.indexOf('/') ?? -1;
    if (name === null || slash < 1) return [];
    const at = inner === null ? [...path, index] : [...path, index, 'model'];
    const provider = name.slice(0, slash);
    if (!providers.includes(provider))
      return [{ path: at, at: 'value', message: unknownProvider(provider, providers) }];
    if (seen.has(name)) return [{ path: at, at: 'value', message: 'this target is already in the list' }];
    seen.add(name);
    return [];
  });
}

/** A weight that has no effect would be ignored in silence. */
function weightMistakes(model: unknown, targets: readonly unknown[], path: Path): readonly Mistake[] {
  const weights = targets.map((target) => Number(fieldOf(target, 'weight') ?? 1));
  const isWeighted = textOf(model, 'balance') === 'weighted';
  if (isWeighted && weights.length > 0 && weights.every((weight) => weight === 0)) {
    return [{ path, at: 'value', message: 'at least one target needs a weight above 0' }];
  }
  const unequal = weights.findIndex((weight) => weight !== weights[0]);
  if (isWeighted || unequal < 0 || !weights.every((weight) => weight >= 0)) return [];
  const at = has(targets[unequal], 'weight') ? unequal : 0;
  const message = 'weights have no effect here; add "balance: weighted" to the model';
  return [{ path: [...path, at, 'weight'], at: 'value', message }];
}

/** Envoy tries again after these, and it is told once per request: a target cannot have its own. */
const DECIDED_ONCE = /^(\d{3}|5xx|connect|reset|timeout)$/;

function ownReasonMistakes(model: unknown, targets: readonly unknown[], path: Path): readonly Mistake[] {
  const listed = (retry: unknown): string => {
    const reasons = has(retry, 'on') ? itemsOf(retry, 'on').map(String) : DEFAULT_RETRY_ON.map(String);
    return reasons
      .filter((reason) => DECIDED_ONCE.test(reason))
      .sort()
      .join();
  };
  const wanted = listed(fieldOf(model, 'retry'));
  return targets.flatMap((target, index): readonly Mistake[] => {
    const own = fieldOf(target, 'retry');
    if (!has(own, 'on') || listed(own) === wanted) return [];
    const message = `statuses, connect, reset and timeout of a single target are not yet supported; list the model's here too (${wanted})`;
    return [{ path: [...path, index, 'retry', 'on'], at: 'value', message }];
  });
}

/** Without a look into the first bytes nothing can be found there. */
function clockMistakes(model: unknown, path: Path): readonly Mistake[] {
  const retry = fieldOf(model, 'retry');
  const index = itemsOf(retry, 'on').indexOf('first_token');
  if (textOf(retry, 'first_token') !== 'off' || index < 0) return [];
  const message = 'cannot be seen with "first_token: off"';
  return [{ path: [...path, 'retry', 'on', index], at: 'value', message }];
}
