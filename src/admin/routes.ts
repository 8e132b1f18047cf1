import { METRICS_CONTENT_TYPE } from '../observability/metrics.js';
import { deliveryRoutes } from './delivery-routes.js';
import type { LiveEvents } from './events.js';
import { invoiceRoutes } from './invoice-routes.js';
import { keyRoutes } from './key-routes.js';
import { limitRoutes } from './limit-routes.js';
import { openApiDocument } from './openapi.js';
import { pageHtml } from './page.js';
import { PAGE_SCRIPT } from './page-script.js';
import { PAGE_STYLE } from './page-style.js';
import type { Page } from './ports.js';
import { AdminError, json, type Reply } from './reply.js';
import type { Call, Route } from './route.js';
import { usageRoutes } from './usage-routes.js';
import { configView, modelView, providerView } from './views.js';

const PAGING = { limit: 'Rows on a page, 1 to 1000; default 100', cursor: 'The `next` of the page before' };
const PERIOD = { from: 'ISO 8601, inclusive', to: 'ISO 8601, exclusive' };

/** Every path that the admin listener answers; what is not here is a 404. */
export function adminRoutes(events: LiveEvents, version: string): readonly Route[] {
  const routes: readonly Route[] = [
    ...probeRoutes,
    ...pageRoutes,
    ...requestRoutes,
    ...usageRoutes,
    ...invoiceRoutes,
    ...deliveryRoutes,
    ...limitRoutes,
    ...configurationRoutes,
    ...keyRoutes,
    read('/api/v1/events', 'Finished requests as they happen (server-sent events named `request`)', {}, (call) =>
      events.open(call.dependencies),
    ),
    read('/api/openapi.json', 'This document', {}, () => json(200, openApiDocument(routes, version))),
  ];
  return routes;
}

function read(path: string, summary: string, query: Route['query'], handle: Route['handle']): Route {
  return { path, summary, access: 'token', query, handle };
}

const probeRoutes: readonly Route[] = [
  {
    path: '/livez',
    summary: 'The process runs',
    access: 'open',
    query: {},
    handle: () => json(200, { status: 'live' }),
  },
  {
    path: '/readyz',
    summary: 'It can take requests; 503 with reasons otherwise',
    access: 'open',
    query: {},
    handle: readyz,
  },
  {
    path: '/metrics',
    summary: 'Prometheus text format',
    access: 'open',
    query: {},
    handle: async ({ dependencies }) => text(METRICS_CONTENT_TYPE, await dependencies.metrics.render()),
  },
];

const pageRoutes: readonly Route[] = [
  {
    path: '/',
    summary: 'A page for people',
    access: 'open',
    query: {},
    handle: () => text('text/html; charset=utf-8', pageHtml()),
  },
  {
    path: '/page.js',
    summary: 'Script of the page',
    access: 'open',
    query: {},
    handle: () => text('text/javascript; charset=utf-8', PAGE_SCRIPT),
  },
  {
    path: '/page.css',
    summary: 'Style of the page',
    access: 'open',
    query: {},
    handle: () => text('text/css; charset=utf-8', PAGE_STYLE),
  },
];

const requestRoutes: readonly Route[] = [
  read(
    '/api/v1/requests',
    'Finished requests, newest first',
    {
      ...PAGING,
      ...PERIOD,
      key: 'Id of the gateway key',
      model: 'Name that the app asked for',
      target: 'provider/model that answered',
      user: 'End user',
      code: 'Error code',
      status: 'HTTP status that the app got',
    },
    async ({ query, dependencies }) =>
      json(
        200,
        await dependencies.records.list({
          ...paging(query),
          from: query.time('from'),
          to: query.time('to'),
          key: query.text('key'),
          model: query.text('model'),
          target: query.text('target'),
          user: query.text('user'),
          code: query.text('code'),
          status: query.integer('status', { from: 100, to: 599 }),
        }),
      ),
  ),
  read('/api/v1/requests/{id}', 'One finished request', {}, async ({ id, dependencies }) => {
    const record = await dependencies.records.get(id);
    if (record === null) throw new AdminError(404, 'not_found', 'No finished request has this id.');
    return json(200, record);
  }),
  read('/api/v1/requests/{id}/content', 'Prompt and answer, where they are kept', {}, async ({ id, dependencies }) => {
    const content = await dependencies.records.content(id);
    if (content === null) throw new AdminError(404, 'not_found', 'Nothing is kept of a request with this id.');
    return json(200, content);
  }),
  read(
    '/api/v1/ledger/disagreements',
    "Latest differences between Envoy's access log and the ledger, newest first",
    PAGING,
    (call) =>
      json(
        200,
        page(call, call.dependencies.disagreements(), (row) => row),
      ),
  ),
  read('/api/v1/ledger/verify', 'Reads the whole ledger again and reports damage', {}, async ({ dependencies }) =>
    json(200, await dependencies.verifyLedger()),
  ),
];

const configurationRoutes: readonly Route[] = [
  read('/api/v1/providers', 'Configured providers and their health', PAGING, (call) => {
    const { snapshot, providerHealth } = call.dependencies;
    const rows = [...snapshot().providers.values()];
    return json(
      200,
      page(call, rows, (account) => providerView(account, providerHealth(account.name))),
    );
  }),
  read('/api/v1/models', 'Configured models and their targets', PAGING, (call) =>
    json(200, page(call, [...call.dependencies.snapshot().models.values()], modelView)),
  ),
  read('/api/v1/config', 'Effective configuration, secrets masked', {}, ({ dependencies }) =>
    json(200, configView(dependencies.snapshot())),
  ),
  read('/api/v1/status', 'What the page shows first', {}, async ({ dependencies }) =>
    json(200, {
      gateway_url: dependencies.gatewayUrl(),
      snapshot: dependencies.snapshot().version,
      ...(await dependencies.readiness()),
    }),
  ),
];

async function readyz({ dependencies }: Call): Promise<Reply> {
  const { reasons, degraded } = await dependencies.readiness();
  const ready = reasons.length === 0;
  return json(ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', reasons, degraded });
}

function text(type: string, body: string): Reply {
  return { kind: 'text', status: 200, type, body };
}

function paging(query: Call['query']): { limit: number; cursor: string | null } {
  return { limit: query.integer('limit', { from: 1, to: 1000 }) ?? 100, cursor: query.text('cursor') };
}

/** A page of a list that is in memory; the cursor is the number of rows before it. */
function page<Row>(call: Call, rows: readonly Row[], view: (row: Row) => object): Page<object> {
  const { limit } = paging(call.query);
  const start = call.query.integer('cursor', { from: 0, to: 999_999_999 }) ?? 0;
  const end = start + limit;
  return { data: rows.slice(start, end).map(view), next: end < rows.length ? String(end) : null };
}
