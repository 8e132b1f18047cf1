import { z } from 'zod';
import { amount, baseUrl, durationOrOff, list, named, secret, struct, text } from './fields.js';
import { GoogleJsonError, isGoogleJson, readGoogleJson } from './google-json.js';
import { PLACE } from './place.js';

/** What stands below `providers.<name>`. Part of the schema; what goes together is `check-credentials.ts`' business. */

const key = secret().min(1, 'is empty');

/** A key, or the JSON file that Google's tools give. */
const credentialText = z
  .string({ error: 'must be a secret of printable ASCII characters; put it in quotes' })
  .superRefine((value, context) => {
    if (isGoogleJson(value)) {
      const message = googleMistake(value);
      if (message !== null) context.addIssue({ code: 'custom', message });
      return;
    }
    for (const { message } of key.safeParse(value).error?.issues ?? []) context.addIssue({ code: 'custom', message });
  })
  .meta({ format: 'secret' });

function googleMistake(value: string): string | null {
  try {
    readGoogleJson(value);
    return null;
  } catch (error) {
    if (error instanceof GoogleJsonError) return error.message;
    throw error;
  }
}

const id = (wanted: string) => text(wanted, /^[\x21-\x7e]+$/);

/** One map for all kinds of credentials, so that each field is described once. */
const credentialMap = struct({
  secret: key.optional().meta({ description: 'A key, sent as it is.', example: `\${OPENAI_API_KEY}` }),
  weight: amount().prefault(1).meta({
    description: 'Share of the requests among several credentials; 0 = not used, unless all are 0.',
    example: '3',
  }),
  access_key_id: id('an access key id')
    .optional()
    .meta({ description: 'AWS: requests are signed with this key.', example: `\${AWS_ACCESS_KEY_ID}` }),
  secret_access_key: key
    .optional()
    .meta({ description: 'AWS: goes with `access_key_id`.', example: `\${AWS_SECRET_ACCESS_KEY}` }),
  session_token: key.optional().meta({ description: 'AWS: with temporary keys.', example: `\${AWS_SESSION_TOKEN}` }),
  profile: text('the name of a profile')
    .optional()
    .meta({ description: "AWS: a profile of AWS' own files.", example: 'production' }),
  tenant_id: id('the id of a tenant')
    .optional()
    .meta({ description: 'Azure: sign in with Microsoft Entra.', example: 'acme.onmicrosoft.com' }),
  client_id: id('the id of an application')
    .optional()
    .meta({ description: 'Azure: the application, or the managed identity.', example: `\${AZURE_CLIENT_ID}` }),
  client_secret: key
    .optional()
    .meta({ description: 'Azure: goes with `tenant_id` and `client_id`.', example: `\${AZURE_CLIENT_SECRET}` }),
  scope: id('a scope').optional().meta({
    description: 'Azure: what the token is for; not set = `https://cognitiveservices.azure.com/.default`.',
    example: 'https://ai.azure.com/.default',
  }),
  source: z
    .enum(['default', 'container', 'instance', 'web_identity', 'managed_identity', 'workload_identity', 'metadata'])
    .optional()
    .meta({
      description:
        "The identity of the place where the gateway runs. AWS: `default` (AWS' own order), `container`, `instance`, `web_identity`. Azure: `managed_identity`, `workload_identity`. Google: `default` (Google's own order), `metadata`.",
    }),
});

const place = (wanted: string) => text(wanted, PLACE);

export const providerSchema = struct({
  kind: text('the name of a provider kind').meta({
    description: 'Which vendor, or which API it speaks.',
    example: 'openai',
  }),
  base_url: baseUrl().optional().meta({
    description:
      'Everything before `/chat/completions`, with `/v1` where the vendor has one. Only needed where the kind has no default, or to go elsewhere. `http://` and any port are fine.',
    example: 'http://127.0.0.1:11434/v1',
  }),
  credentials: z
    .union(
      [
        credentialText,
        credentialMap,
        list(z.union([credentialText, credentialMap], { error: 'must be a secret or a map of settings' })),
      ],
      {
        error: 'must be a secret, a map of settings or a list of them',
      },
    )
    .optional()
    .meta({
      description:
        "The provider's key, or a list of them. A map stands for an identity of a cloud, or for a key with a weight; text that begins with `{` is the JSON of a Google account. See [credentials](credentials.md).",
      example: `\${OPENAI_API_KEY}`,
    }),
  region: place('a region, such as eu-central-1').optional().meta({
    description: 'AWS: where Bedrock is asked; not set = `$AWS_REGION`.',
    example: 'eu-central-1',
  }),
  project: place('the id of a project').optional().meta({
    description: 'Google Cloud: the project; not set = `$GOOGLE_CLOUD_PROJECT`, else what the JSON says.',
    example: 'acme-prod',
  }),
  location: place('a location, such as europe-west1 or global').optional().meta({
    description: 'Google Cloud: where Vertex AI is asked; not set = `$GOOGLE_CLOUD_LOCATION`.',
    example: 'europe-west1',
  }),
  headers: named(text('a header name', /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/), text('a header value', /^[\t\x20-\x7e]*$/))
    .prefault({})
    .meta({
      description: 'Fixed headers sent with every request, such as an organisation.',
      example: '{ openai-organization: org-acme }',
    }),
  api_version: text('an API version', /^[\w.-]+$/)
    .optional()
    .meta({
      description: "Azure's dated API: set = `/deployments/{model}/…?api-version=`, not set = v1 paths.",
      example: '2024-10-21',
    }),
  bring_your_own: z.enum(['off', 'allowed', 'required']).prefault('off').meta({
    description:
      'Apps may send a key of their own for this provider, in `x-tollgate-provider-key`: never, instead of the configured one, or always. See [credentials](credentials.md).',
    example: 'allowed',
  }),
  stored_objects: z.enum(['refuse', 'shared']).prefault('refuse').meta({
    description:
      'Files, batches, stored answers and whatever else the provider keeps for its account: `refuse` = paths and fields that name them are refused, because every key uses the same account; `shared` = all keys may see each other’s.',
    example: 'shared',
  }),
  probe: durationOrOff({ atLeast: 1000 }).prefault('off').meta({
    description:
      'How often to ask for the list of models, so that a provider is known to be well again before a request tries it. Never a paid call. `off` = requests alone tell.',
    example: '30s',
  }),
});

/** What the schema makes of one provider, and of one credential in it. */
export type ValidProvider = z.output<typeof providerSchema>;
export type ValidCredential = z.output<typeof credentialMap>;
