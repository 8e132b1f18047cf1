import t from 'tap';
import type { Received } from './client.js';
import { type Client, open } from './dialect-clients.js';
import { type Gateway, type RequestRecord, startGateway } from './harness.js';
import { type Script, type Scripted, startScripted } from './scripted.js';

/** One gateway before scripted providers of four dialects, each with a key and prices of its own. */

export const SECRETS = {
  openai: 'sk-openai-0123456789abcdef',
  anthropic: 'sk-ant-0123456789abcdefgh',
  gemini: 'AIza-0123456789abcdefghij',
  bedrock: 'aws-secret-0123456789abcdef',
} as const;
export const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';

/** Dollars per million tokens, input and output: nano-dollars per token are a thousand times that. */
const PRICES = { openai: [1, 2], anthropic: [30, 40], gemini: [500, 600], bedrock: [7000, 8000] } as const;
export type Name = keyof typeof PRICES;

/** What a stream of Bedrock’s may end with. */
export const BEDROCK_EXCEPTIONS = [
  'internalServerException',
  'modelStreamErrorException',
  'modelTimeoutException',
  'serviceUnavailableException',
  'throttlingException',
  'validationException',
];

export interface FourProviders {
  readonly gateway: Gateway;
  readonly providers: Readonly<Record<Name, Scripted>>;
}

/** Starts all of them until the end of the test file. `models`: the `models` of the configuration. */
export async function startFour(models: Readonly<Record<string, unknown>>): Promise<FourProviders> {
  const [openai, anthropic, gemini, bedrock] = [
    await startScripted(),
    await startScripted(),
    await startScripted(),
    await startScripted(),
  ];
  const providers = { openai, anthropic, gemini, bedrock };
  t.teardown(() => Promise.all(Object.values(providers).map((each) => each.close())).then(() => undefined));
  const origin = (name: Name): string => new URL(providers[name].baseUrl).origin;
  const gateway = await startGateway(t, {
    config: {
      models,
      prices: Object.entries(PRICES).map(([name, [input, output]]) => ({ model: `${name}/*`, input, output })),
      providers: {
        openai: { kind: 'openai', base_url: `${origin('openai')}/v1`, credentials: SECRETS.openai },
        anthropic: { kind: 'anthropic', base_url: `${origin('anthropic')}/v1`, credentials: SECRETS.anthropic },
        gemini: { kind: 'gemini', base_url: `${origin('gemini')}/v1beta`, credentials: SECRETS.gemini },
        bedrock: {
          kind: 'bedrock',
          base_url: origin('bedrock'),
          region: 'eu-central-1',
          credentials: { access_key_id: ACCESS_KEY_ID, secret_access_key: SECRETS.bedrock },
        },
      },
    },
  });
  return { gateway, providers };
}

/** Anthropic and Google say something on the way: then only the tail is a guess. */
export const GUESSED = /^(?:estimated|mixed)$/;

/** What the request is booked as: who served it, at whose price, from whose numbers. */
export async function booked(gateway: Gateway, id: string | undefined): Promise<RequestRecord> {
  const record = await gateway.record(id ?? '');
  const name = (record.target ?? '').split('/')[0] as Name;
  const [input, output] = PRICES[name];
  const cost = 1000 * (Number(record.usage.input) * input + Number(record.usage.output) * output);
  t.equal(record.cost_nano_usd, cost, `priced as ${record.target}`);
  return record;
}

export interface Asked {
  readonly gateway: Gateway;
  readonly provider: Scripted;
  readonly model: string;
}

/** The last chunk comes only when the client has read the second word: before it another target could still be asked. */
export async function seenThenMore(
  { gateway, provider, model }: Asked,
  client: Client,
  script: Script,
): Promise<Received> {
  provider.queue({ ...script, hold: (script.chunks?.length ?? 0) - 1 });
  const answer = await open(gateway, client, model, { stream: true });
  await Promise.all([answer.until('two '), provider.held(1)]);
  provider.release();
  return answer.finished();
}

/** Every name that was guessed is an estimate in the ledger. */
export async function checkGuesses(gateway: Gateway): Promise<number> {
  await gateway.settled();
  const types = new Map(gateway.ledger().flatMap((entry) => (entry.type === 'hold' ? [] : [[entry.id, entry.type]])));
  const guessed = (await gateway.requests()).filter(({ usage_source: source }) => GUESSED.test(source ?? ''));
  for (const { id, model } of guessed) t.equal(types.get(id), 'estimate', model);
  return guessed.length;
}
