import { z } from 'zod';
import {
  address,
  duration,
  filePath,
  flag,
  integer,
  list,
  moment,
  named,
  secret,
  size,
  struct,
  text,
  timeZone,
} from './fields.js';
import { limitsSchema, routesSchema } from './limit-schema.js';
import { modelSchema } from './model-schema.js';
import { billingSchema, discountsSchema, labelsField, pricesSchema } from './money-schema.js';
import { providerSchema } from './provider-schema.js';
import {
  alertsSchema,
  authSchema,
  endpointGlobs,
  exportersSchema,
  modelGlobs,
  retentionSchema,
  storeSchema,
} from './service-schema.js';

/**
 * The whole configuration, one entry per setting. Descriptions and examples are the reference: `docs/configuration.md`
 * and the JSON Schema are rendered from here. Contract: design, sections 1.4 and 6.
 */

const NAME = /^[a-z0-9][a-z0-9._-]*$/;
const GLOB = /^[^\s\p{Cc}]+$/u;

const gateway = struct({
  listen: address().prefault('0.0.0.0:8080').meta({
    description: 'Where apps reach the gateway: the address of the Envoy listener.',
    example: ':9080',
  }),
  body_limit: size().prefault('32MiB').meta({
    description: 'Largest request body; a larger one is answered with 413 `request_too_large`.',
    example: '64MiB',
  }),
  tls: struct({
    certificate: filePath().meta({
      description: 'PEM file with the certificate and its chain.',
      example: 'file:/etc/tls/tls.crt',
    }),
    key: filePath().meta({ description: 'PEM file with the private key.', example: 'file:/etc/tls/tls.key' }),
  })
    .optional()
    .meta({
      description: 'Serve HTTPS on `listen`. Both are paths; the files are read by Envoy. Without it: plain HTTP.',
    }),
  models_only: flag().prefault(false).meta({
    description: 'Accept only the names under `models`; otherwise `provider/model` always works too.',
    example: 'true',
  }),
  workers: integer({ min: 1, max: 1024 }).prefault(1).meta({
    description:
      'Service processes behind one Envoy. More than 1 needs `store.kind: redis`. A change needs a restart ([operations](operations.md#several-service-processes)).',
    example: '2',
  }),
})
  .prefault({})
  .meta({ description: 'What apps talk to.' });

const admin = struct({
  listen: address().prefault('127.0.0.1:8090').meta({
    description: 'Admin API, console, `/metrics`, `/livez` and `/readyz`.',
    example: '127.0.0.1:0',
  }),
  token: secret().optional().meta({
    description:
      'Bearer token of the admin API. Needed unless `listen` is a loopback address; once set, always required, but not by `/livez`, `/readyz` and `/metrics`. Empty = not set.',
    example: `\${TOLLGATE_ADMIN_TOKEN:-}`,
  }),
  pepper: secret().optional().meta({
    description: 'Secret under which issued keys are hashed. Without it one is generated once, in the data directory.',
    example: 'file:/run/secrets/pepper',
  }),
})
  .prefault({})
  .meta({ description: 'What operators talk to.' });

const envoy = struct({
  admin: address()
    .prefault('127.0.0.1:9901')
    .meta({ description: "Envoy's own admin interface.", example: '127.0.0.1:0' }),
  binary: text('a path, or auto').prefault('auto').meta({
    description:
      'Envoy 1.40: a path, or `auto` = `$ENVOY_BIN`, then `envoy` on PATH, then the copy that the set-up made.',
    example: '/usr/local/bin/envoy',
  }),
  concurrency: integer({ min: 1, max: 256 })
    .prefault(1)
    .meta({ description: 'Worker threads of Envoy.', example: '2' }),
})
  .prefault({})
  .meta({ description: 'How Envoy is run.' });

const ledger = struct({
  directory: filePath().prefault('data/ledger').meta({
    description: 'Append-only segments, the truth about money. Its parent is the data directory.',
    example: '/var/lib/tollgate/ledger',
  }),
  sync: duration()
    .prefault('100ms')
    .meta({ description: 'Longest time between two `fsync`s; 0 = after every entry.', example: '20ms' }),
})
  .prefault({})
  .meta({ description: 'What every request cost, crash-safe.' });

const records = struct({
  kind: z.enum(['sqlite', 'postgres']).prefault('sqlite').meta({ description: 'Database of finished requests.' }),
  path: filePath().optional().meta({
    description: 'SQLite file, `data/records.db` if not set.',
    example: 'data/records.db',
  }),
  url: secret().optional().meta({
    description: 'Postgres server, with user and password. Needed for `postgres`.',
    example: `\${POSTGRES_URL}`,
  }),
  content: flag()
    .prefault(false)
    .meta({ description: 'Also keep prompts and answers, in a table of their own.', example: 'true' }),
})
  .prefault({})
  .meta({ description: 'Queryable rows derived from the ledger.' });

const key = struct({
  id: text('1 to 64 letters, digits, dots, dashes or underscores', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).meta({
    description: 'Public name, used in logs and records.',
    example: 'web',
  }),
  secret: secret().min(16, 'a key needs at least 16 characters').optional().meta({
    description: 'What the app sends, 16 characters or more. Either this or `hash`.',
    example: `\${WEB_KEY}`,
  }),
  hash: text('sha256: and 64 hexadecimal digits', /^sha256:[0-9a-fA-F]{64}$/)
    .optional()
    .meta({
      description: 'SHA-256 of the secret, so that the secret itself is not in the file.',
      format: 'hash',
      example: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    }),
  labels: labelsField().meta({
    description: 'Free text for reports and conditions.',
    example: '{ team: search, tier: premium }',
  }),
  metadata: named(text('a name', /^[^\s\p{Cc}]+$/u), text('text', /^[^\p{Cc}]*$/u))
    .prefault({})
    .meta({ description: "Notes of the operator's own, never interpreted.", example: '{ owner: ann@example.com }' }),
  models: modelGlobs(),
  endpoints: endpointGlobs(),
  expires: moment().optional().meta({
    description: 'From then on the key is refused. A date means 00:00 UTC of that day.',
    example: '2027-01-01',
  }),
});

export const configSchema = struct({
  gateway,
  admin,
  providers: named(text('a name of lower-case letters, digits, dots, dashes or underscores', NAME), providerSchema)
    .prefault({})
    .meta({
      description: 'Upstream accounts by name. The name is the first part of `provider/model`.',
    }),
  models: named(text('a name without spaces', GLOB), modelSchema).prefault({}).meta({
    description: "Names that apps ask for. A name may not begin with a configured provider's name and `/`.",
  }),
  keys: list(key).prefault([]).meta({ description: 'Keys fixed in this file.' }),
  routes: routesSchema,
  limits: limitsSchema,
  prices: pricesSchema,
  discounts: discountsSchema,
  billing: billingSchema,
  exporters: exportersSchema,
  alerts: alertsSchema,
  auth: authSchema,
  store: storeSchema,
  ledger,
  records,
  retention: retentionSchema,
  envoy,
  runtime_directory: filePath()
    .prefault('run')
    .meta({ description: 'Sockets, the generated bootstrap, logs of Envoy.', example: '/run/tollgate' }),
  time_zone: timeZone().prefault('UTC').meta({ description: 'For calendar windows.', example: 'Europe/Berlin' }),
});

/** What the schema makes of a configuration: durations in milliseconds, sizes in bytes, addresses split, defaults filled in. */
export type ValidConfig = z.output<typeof configSchema>;

/** JSON Schema (2020-12) of the configuration as written, with our formats and a single `example` per setting. */
export function inputSchema(): SchemaNode {
  return z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode;
}

/** The parts of JSON Schema that occur here. */
export interface SchemaNode {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly description?: string;
  readonly example?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}
