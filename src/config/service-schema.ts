import { z } from 'zod';
import {
  duration,
  durationOrOff,
  flag,
  integer,
  list,
  named,
  parsedText,
  secret,
  share,
  struct,
  text,
  webUrl,
} from './fields.js';
import { customerField, labelsField } from './money-schema.js';

/** What stands below `store`, `exporters`, `alerts`, `retention` and `auth`: what the gateway talks to. Part of the schema. */

const GLOB = /^[^\s\p{Cc}]+$/u;
const NAME = /^[a-z0-9][a-z0-9._-]*$/;
const HOUR = 3_600_000;

export const modelGlobs = () =>
  list(text('a model name or a pattern', GLOB)).optional().meta({
    description: 'Names that the key may ask for; `*` stands for any text, `/` included. Not set = all.',
    example: '[smart, "openai/*"]',
  });

export const endpointGlobs = () =>
  list(
    text(
      'a path such as /v1/chat/completions, or a pattern such as /v1/audio/*',
      /^\/(v1|v1beta|providers)\/[^\s?#]*$/,
    ),
  )
    .optional()
    .meta({
      description: 'Client paths that the key may use; `*` stands for any text. Not set = all.',
      example: '[/v1/embeddings]',
    });

const serverUrl = parsedText((text) => {
  if (/^rediss?:\/\/[^\s/]/.test(text)) return { value: text };
  return { problem: 'must be a URL that begins with redis:// or rediss://' };
}).meta({ format: 'secret' });

export const storeSchema = struct({
  kind: z.enum(['memory', 'redis']).prefault('memory').meta({
    description:
      'Where counters and issued keys live: `memory` = in the one service process, `redis` = in Redis or Valkey, for several.',
    example: 'redis',
  }),
  url: serverUrl.optional().meta({
    description: 'Server, with user and password where it wants them. Needed for `redis`.',
    example: 'redis://127.0.0.1:6379',
  }),
  cluster: flag().prefault(false).meta({ description: '`url` is a member of a Redis Cluster.', example: 'true' }),
  prefix: text('1 to 32 letters, digits, dots, dashes, colons or underscores', /^[A-Za-z0-9._:-]{1,32}$/)
    .prefault('tollgate')
    .meta({ description: 'First part of every key in the server.', example: 'tollgate-eu' }),
  timeout: duration({ atLeast: 10 }).prefault('250ms').meta({
    description: 'How long an answer may take before the store counts as unreachable.',
    example: '100ms',
  }),
})
  .prefault({})
  .meta({ description: 'State that requests share.' });

const exporter = struct({
  kind: z.enum(['webhook', 'openmeter', 'lago', 'stripe']).meta({
    description: 'Shape of the events: our own, or what OpenMeter, Lago or Stripe meters take.',
    example: 'openmeter',
  }),
  url: webUrl().meta({ description: 'Where they are sent.', example: 'https://billing.example.com/events' }),
  secret: secret().optional().meta({
    description: 'Bearer token; for `webhook` the key that signs each body.',
    example: `\${METER_TOKEN}`,
  }),
  batch: integer({ min: 1, max: 1000 })
    .prefault(100)
    .meta({ description: 'Most events in one request.', example: '50' }),
  customer: customerField().optional().meta({
    description:
      'Who used it: `key.labels.<name>`, `key` or `user`. Not set = `billing.customer`, without billing `key`.',
    example: 'key.labels.customer',
  }),
});

export const exportersSchema = named(
  text('a name of lower-case letters, digits, dots, dashes or underscores', NAME),
  exporter,
)
  .prefault({})
  .meta({ description: 'Where finished requests are sent, at least once each, by name.' });

export const alertsSchema = struct({
  webhook: webUrl().meta({ description: 'Where alerts are sent.', example: 'https://hooks.example.com/tollgate' }),
  secret: secret().optional().meta({
    description: 'Signs each body (HMAC-SHA256). Not set = not signed.',
    example: `\${ALERT_SECRET}`,
  }),
  estimated_ratio: share().prefault('off').meta({
    description: 'Share of requests with estimated usage over an hour that is worth an alert, or `off`.',
    example: '5%',
  }),
})
  .optional()
  .meta({ description: 'Who is told when a limit nears its end, a price is unknown or the store is down.' });

const kept = (what: string, example: string) =>
  durationOrOff({ atLeast: HOUR })
    .prefault('off')
    .meta({ description: `${what}; \`off\` = for ever.`, example });

export const retentionSchema = struct({
  records: kept('How long rows of finished requests are kept', '90d'),
  content: kept('How long prompts and answers are kept', '7d'),
  rollups: kept('How long hourly sums are kept', '730d'),
  ledger: kept('How long ledger segments are kept, once their entries are in the records', '365d'),
})
  .prefault({})
  .meta({ description: 'When data is deleted.' });

/** What an identity provider signs must not come over a wire that anybody can write on. */
const httpsUrl = () =>
  parsedText((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const isLocal = url !== null && /^(localhost|\[::1\]|127(\.\d+){3})$/.test(url.hostname);
    const isGood = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal);
    if (isGood && url.username === '' && url.hash === '') return { value: text };
    return { problem: 'must be a URL that begins with https:// (http:// only for this machine)' };
  }).meta({ format: 'url' });

const claim = text('the name of a claim, with dots for nested ones', /^[^\s\p{Cc}]+$/u);

const issuer = struct({
  issuer: httpsUrl().meta({ description: 'Exact value of `iss`.', example: 'https://login.example.com/acme' }),
  jwks: httpsUrl().optional().meta({
    description: "The issuer's public keys. Not set = `<issuer>/.well-known/jwks.json`.",
    example: 'https://login.example.com/acme/keys',
  }),
  audience: z
    .union([text(), list(text()).min(1, 'needs at least one')], { error: 'must be text or a list of texts' })
    .optional()
    .meta({ description: 'One of them must be in `aud`. Not set = not checked.', example: 'tollgate' }),
  id: claim.prefault('sub').meta({ description: "Claim that becomes the key's id.", example: 'sub' }),
  labels: named(text('a label name', /^[A-Za-z_][\w.-]*$/), claim)
    .prefault({})
    .meta({ description: 'Label → claim, with dots for nested ones.', example: '{ team: org.team }' }),
  fixed_labels: labelsField().meta({
    description: 'Labels that every such key has.',
    example: '{ environment: production }',
  }),
  models: modelGlobs(),
  endpoints: endpointGlobs(),
});

export const authSchema = struct({
  jwt: z
    .union([issuer, list(issuer)], { error: 'must be an issuer or a list of issuers' })
    .prefault([])
    .meta({
      description: 'Identity providers whose signed tokens are gateway keys, one or a list.',
    }),
})
  .prefault({})
  .meta({ description: 'Keys that others issue.' });

export type ValidStore = z.output<typeof storeSchema>;
export type ValidExporter = z.output<typeof exportersSchema>[string];
export type ValidAlerts = z.output<typeof alertsSchema>;
export type ValidRetention = z.output<typeof retentionSchema>;
export type ValidIssuer = z.output<typeof issuer>;
