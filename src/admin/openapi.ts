import type { Route } from './route.js';

/** The API as an OpenAPI 3.1 document, made from the routes themselves, so that it cannot say anything else. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tollgate admin API',
      version,
      description: 'Times are ISO 8601 UTC. Money is in integer nano-dollars unless a field ends in `_usd`.',
    },
    paths: Object.fromEntries(routes.map((route) => [route.path, { get: operation(route) }])),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'admin.token of the configuration' } },
      schemas: { Error: ERROR_SCHEMA },
    },
  };
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
    operationId: `get${route.path.replace(/(?:^|[^A-Za-z0-9])+([A-Za-z0-9]?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    security: route.access === 'token' ? [{ token: [] }] : [],
    parameters: [...id, ...query],
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
