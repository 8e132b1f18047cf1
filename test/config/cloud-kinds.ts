import type { KnownKind, KnownKinds } from '../../src/config/known-kind.js';

const BEARER = { header: 'authorization', prefix: 'Bearer ' };

function kind(name: string, more: Partial<KnownKind>): readonly [string, KnownKind] {
  return [
    name,
    { kind: name, baseUrl: `https://${name}.example.com/v1`, environment: [], credential: BEARER, ...more },
  ];
}

/** One kind for each way to prove who one is, independent of the vendors that are registered. */
export const CLOUD_KINDS: KnownKinds = new Map([
  kind('plain', { environment: ['PLAIN_KEY'] }),
  kind('free', { credential: null }),
  kind('bedrock', {
    baseUrl: 'https://bedrock-runtime.{region}.amazonaws.com',
    environment: ['AWS_BEARER_TOKEN_BEDROCK'],
    needs: ['region'],
    identity: 'aws',
  }),
  kind('vertex', {
    baseUrl: 'https://{location}-aiplatform.googleapis.com',
    baseUrlAt: { global: 'https://aiplatform.googleapis.com' },
    needs: ['project', 'location'],
    identity: 'google',
  }),
  kind('azure-openai', {
    baseUrl: null,
    environment: ['AZURE_OPENAI_API_KEY'],
    credential: { header: 'api-key', prefix: '' },
    identity: 'azure',
  }),
]);
