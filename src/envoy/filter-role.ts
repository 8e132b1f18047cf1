import { at, covers, hasType, items, type Tree } from './config-tree.js';
import { ROLE_METADATA } from './names.js';

/** True for an ext_proc filter that says this role in its gRPC metadata. */
export function isRole(filter: Tree, role: string): boolean {
  const call = at(filter, 'typed_config', 'grpc_service');
  return (
    hasType(filter, 'ExternalProcessor') && covers(call, { initial_metadata: [{ key: ROLE_METADATA, value: role }] })
  );
}

/** The filter inside an ExtensionWithMatcher. */
export function unwrapped(filter: Tree): Tree {
  return hasType(filter, 'ExtensionWithMatcher') ? at(filter, 'typed_config', 'extension_config') : filter;
}

/** A filter of a chain, without what decides whether it runs. */
export interface ChainedFilter {
  readonly filter: Tree;
  /** Its ExtensionWithMatcher, if it has one: alone, or together with other filters in a composite filter. */
  readonly matched: Tree;
}

/** The filters of a chain in the order in which requests pass them, also those that a composite filter makes. */
export function chainOf(filters: readonly Tree[]): readonly ChainedFilter[] {
  return filters.flatMap((filter) => {
    const inner = unwrapped(filter);
    if (!hasType(inner, 'Composite')) return [{ filter: inner, matched: filter }];
    const cases = items(at(filter, 'typed_config', 'xds_matcher', 'matcher_list', 'matchers'));
    return cases.flatMap((one) => {
      const action = at(one, 'on_match', 'action', 'typed_config');
      const single = at(action, 'typed_config');
      const made = single === undefined ? items(at(action, 'filter_chain', 'typed_config')) : [single];
      return made.map((each) => ({ filter: each, matched: one }));
    });
  });
}
