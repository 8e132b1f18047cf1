import type { AdminDependencies } from './ports.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

export interface Call {
  /** The `{id}` of the path, decoded; empty when the path has none. */
  readonly id: string;
  readonly query: Query;
  readonly dependencies: AdminDependencies;
}

/** One row of the API: what serves it and what the OpenAPI document says about it. Only GET (and HEAD) so far. */
export interface Route {
  /** May hold one `{id}` segment. */
  readonly path: string;
  readonly summary: string;
  /** `open`: no token ever (probes, the page itself, which holds no data). */
  readonly access: 'open' | 'token';
  /** Query parameters with their meaning; any other is a 400. */
  readonly query: Readonly<Record<string, string>>;
  handle(call: Call): Reply | Promise<Reply>;
}

/** The route of a path with its `{id}`, or null. Matching is on whole segments; default is deny. */
export function matchRoute(
  routes: readonly Route[],
  path: string,
): { readonly route: Route; readonly id: string } | null {
  for (const route of routes) {
    const id = matchPath(route.path, path);
    if (id !== null) return { route, id };
  }
  return null;
}

function matchPath(pattern: string, path: string): string | null {
  if (pattern === path) return '';
  const [before, after] = pattern.split('{id}');
  if (before === undefined || after === undefined || !path.startsWith(before) || !path.endsWith(after)) return null;
  const segment = path.slice(before.length, path.length - after.length);
  if (segment === '' || segment.includes('/')) return null;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
