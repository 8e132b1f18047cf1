import { json } from './reply.js';
import type { Route } from './route.js';

/** What is told to others, and what still waits. */
export const deliveryRoutes: readonly Route[] = [
  {
    path: '/api/v1/exporters',
    summary: 'Exporters of finished requests with their backlog; in the one process of a host that exports',
    access: 'token',
    query: {},
    handle: ({ dependencies }) => json(200, { data: dependencies.exporters?.() ?? [], next: null }),
  },
  {
    path: '/api/v1/alerts',
    summary: 'Alerts that wait to be sent: how many, since when, why',
    access: 'token',
    query: {},
    handle: ({ dependencies }) =>
      json(200, dependencies.alerts?.() ?? { waiting: 0, oldest_ms: 0, lost: 0, last_error: null }),
  },
];
