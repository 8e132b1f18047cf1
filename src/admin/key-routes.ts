import { type KeyChange, keyBodySchema, readKeyChange } from '../policy/keys/key-change.js';
import { KeyError, type KeyErrorCode } from '../policy/keys/key-error.js';
import { AdminError, json, type Reply } from './reply.js';
import type { Route } from './route.js';

const PAGING = { limit: 'Keys on a page, 1 to 1000; default 100', cursor: 'The `next` of the page before' };
const STATUS: Readonly<Record<KeyErrorCode, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
};
const CODE: Readonly<Record<KeyErrorCode, string>> = {
  invalid: 'invalid_parameter',
  not_found: 'not_found',
  conflict: 'conflict',
  unavailable: 'store_unavailable',
};

/** Gateway keys: those of the config file can be seen, those made here can also be changed. */
export const keyRoutes: readonly Route[] = [
  {
    path: '/api/v1/keys',
    summary: 'Gateway keys, fixed and issued, without secrets',
    access: 'token',
    query: PAGING,
    handle: (call) =>
      guarded(async () => {
        const limit = call.query.integer('limit', { from: 1, to: 1000 }) ?? 100;
        return json(200, await call.dependencies.keys.list({ limit, cursor: call.query.text('cursor') }));
      }),
  },
  {
    path: '/api/v1/keys/{id}',
    summary: 'One gateway key, without its secret',
    access: 'token',
    query: {},
    handle: (call) => guarded(async () => json(200, await call.dependencies.keys.get(call.id))),
  },
  change('POST', '/api/v1/keys', { action: 'create', summary: 'Makes a key; `secret` is shown only in this answer' }),
  change('PATCH', '/api/v1/keys/{id}', { action: 'patch', summary: 'Replaces the fields that are given' }),
  change('POST', '/api/v1/keys/{id}/rotate', {
    action: 'rotate',
    summary: 'A new `secret`, shown only in this answer; the old one stays valid for `grace` (default 1h)',
  }),
  change('POST', '/api/v1/keys/{id}/revoke', {
    action: 'revoke',
    summary: 'Refuses the key from now on, for good; running requests finish',
  }),
  change('DELETE', '/api/v1/keys/{id}', { action: 'revoke', summary: 'The same as revoke' }),
];

function change(
  method: NonNullable<Route['method']>,
  path: string,
  { action, summary }: { readonly action: KeyChange['action']; readonly summary: string },
): Route {
  return {
    method,
    path,
    summary,
    access: 'token',
    query: {},
    body: keyBodySchema(action),
    handle: (call) =>
      guarded(async () => {
        const { key, secret } = await call.dependencies.keys.change(readKeyChange(action, call.id, call.body ?? {}));
        const shown = secret === null ? key : { ...key, secret };
        return json(action === 'create' ? 201 : 200, shown, location(action, key.id));
      }),
  };
}

function location(action: KeyChange['action'], id: string): Record<string, string> {
  return action === 'create' ? { location: `/api/v1/keys/${id}` } : {};
}

async function guarded(work: () => Promise<Reply>): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    const more = error.param === null ? {} : { param: error.param };
    throw new AdminError(STATUS[error.code], CODE[error.code], error.message, more);
  }
}
