import { methodOf, type Route } from './route.js';

/** The API as an OpenAPI 3.1 document, made from the routes themselves, so that it cannot say anything else. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tollgate admin API',
      version,
      description: 'Times are ISO 8601 UTC. Money is in integer nano-dollars unless a field ends in `_usd`.',
    },
    paths: pathsOf(routes),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'admin.token of the configuration' } },
      schemas: { Error: ERROR_SCHEMA },
    },
  };
}

function pathsOf(routes: readonly Route[]): object {
  const paths = new Map<string, Record<string, object>>();
  for (const route of routes) {
    const operations = paths.get(route.path) ?? {};
    operations[methodOf(route).toLowerCase()] = operation(route);
    paths.set(route.path, operations);
  }
  return Object.fromEntries(paths);
}

function operation(route: Route): object {
  const query = Object.entries(route.query).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: name === 'limit' || name === 'status' ? 'integer' : 'string' },
  }));
  const id = route.path.includes('{id}')
    ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]
    : [];
  const failure = {
    description: 'Refused',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  };
  return {
    operationId: `${methodOf(route).toLowerCase()}${route.path.replace(/(?:^|[^A-Za-z0-9])+([A-Za-z0-9]?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    security: route.access === 'token' ? [{ token: [] }] : [],
    parameters: [...id, ...query],
    ...(route.body ? { requestBody: { content: { 'application/json': { schema: route.body } } } } : {}),
    responses: { 200: { description: route.summary }, default: failure },
  };
}

const ERROR_SCHEMA = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: 'string' },
      },
    },
  },
};
