import type { JsonObject } from '../json-value.js';
import type { Losses } from './losses.js';

/**
 * The members of a request that the target takes under its own names. All others that are not read elsewhere (`known`) are
 * dropped with a warning; a member set to null says nothing and is no loss.
 */
export function takeOwnMembers(
  request: JsonObject,
  names: { readonly known: ReadonlySet<string>; readonly own: ReadonlySet<string> },
  losses: Losses,
): JsonObject {
  const taken: [string, unknown][] = [];
  for (const [name, value] of Object.entries(request)) {
    if (value === null || names.known.has(name)) continue;
    if (names.own.has(name)) taken.push([name, value]);
    else losses.drop(name);
  }
  return Object.fromEntries(taken);
}
