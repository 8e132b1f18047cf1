import type { AdminDependencies } from './ports.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

export interface Call {
  /** The `{id}` of the path, decoded; empty when the path has none. */
  readonly id: string;
  readonly query: Query;
  readonly dependencies: AdminDependencies;
  /** The JSON body, not validated; undefined when there is none, and for GET. */
  readonly body?: unknown;
}

/** One row of the API: what serves it and what the OpenAPI document says about it. */
export interface Route {
  /** Absent: GET (and HEAD). */
  readonly method?: 'POST' | 'PATCH' | 'DELETE';
  /** May hold one `{id}` segment. */
  readonly path: string;
  readonly summary: string;
  /** `open`: no token ever (probes, the page itself, which holds no data). */
  readonly access: 'open' | 'token';
  /** Query parameters with their meaning; any other is a 400. */
  readonly query: Readonly<Record<string, string>>;
  /** JSON Schema of the body that it takes; absent: none. */
  readonly body?: object;
  handle(call: Call): Reply | Promise<Reply>;
}

export interface Match {
  /** Null: the path is served, but not with this method. */
  readonly route: Route | null;
  readonly id: string;
  readonly access: Route['access'];
  /** Methods that the path is served with, as in the header `allow`. */
  readonly allow: string;
}

/** What serves a path, with its `{id}`, or null. Matching is on whole segments; default is deny. */
export function matchRoute(routes: readonly Route[], path: string, method: string): Match | null {
  const wanted = method === 'HEAD' ? 'GET' : method;
  for (const { path: pattern } of routes) {
    const id = matchPath(pattern, path);
    if (id === null) continue;
    const there = routes.filter((route) => route.path === pattern);
    const route = there.find((candidate) => methodOf(candidate) === wanted) ?? null;
    const access = there.every((candidate) => candidate.access === 'open') ? 'open' : 'token';
    const allow = there.map(methodOf).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
    return { route, id, access, allow: allow.join(', ') };
  }
  return null;
}

/** What a route is asked with. */
export function methodOf(route: Route): string {
  return route.method ?? 'GET';
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
