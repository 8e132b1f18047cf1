import { at, covers, hasType, type Tree } from './config-tree.js';
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
