import { inspect } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { BringYourOwn } from '../../../src/config/credential-source.js';
import { GatewayError } from '../../../src/dialects/error.js';
import { azureOpenai } from '../../../src/providers/azure-openai.js';
import {
  authoriseOwn,
  checkOwnKeys,
  lacksOwnKey,
  NO_OWN_KEYS,
  OWN_KEY_HEADER,
  ownKeyNeeded,
  readOwnKeys,
} from '../../../src/providers/credentials/own-key.js';
import { openai } from '../../../src/providers/openai.js';
import { account } from './sample-parts.js';

function refusal(act: () => unknown): GatewayError {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('not refused');
}

function plain(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries([...readOwnKeys(values)].map(([name, secret]) => [name, secret.reveal()]));
}

t.test('reading the header', async (t) => {
  t.equal(readOwnKeys([]), NO_OWN_KEYS);
  t.same(plain(['openai=sk-1']), { openai: 'sk-1' });
  t.same(plain(['openai=sk-1, azure-eu=a=b==', 'groq=g']), { openai: 'sk-1', 'azure-eu': 'a=b==', groq: 'g' });
  t.same(plain(['openai=sk-1,,', ' openai=sk-1 ']), { openai: 'sk-1' }, 'the same twice is one');
  const bad = [
    'sk-canary',
    '=sk-canary',
    'openai=',
    'openai=sk canary',
    'OpenAI=sk-canary',
    'openai=sk-cänary',
    'a b=canary',
  ];
  for (const value of bad) {
    const error = refusal(() => readOwnKeys([value]));
    t.match(error, { code: 'unsupported_parameter', status: 400, param: OWN_KEY_HEADER }, value);
    t.notMatch(error.message, /canary/);
  }
  const two = refusal(() => readOwnKeys(['openai=canary-1', 'openai=canary-2']));
  t.match(two, { code: 'ambiguous_credentials', status: 400 });
  t.notMatch(two.message, /canary/);
  t.match(
    refusal(() => readOwnKeys([Array.from({ length: 17 }, (_, at) => `p${at}=k`).join()])),
    { status: 400 },
  );
  t.notMatch(inspect(readOwnKeys(['openai=canary-0123456789'])), /canary/, 'not in a dump');
});

t.test('however the header is cut, the keys are the same', async (t) => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,8}$/);
  const secret = fc.stringMatching(/^[!-+\--~]{1,12}$/);
  const keys = fc.uniqueArray(fc.tuple(name, secret), { maxLength: 8, selector: ([provider]) => provider });
  fc.assert(
    fc.property(keys, fc.infiniteStream(fc.boolean()), (pairs, cuts) => {
      const values: string[] = [];
      for (const [provider, text] of pairs) {
        const entry = `${provider}=${text}`;
        const last = values.pop();
        if (last === undefined || cuts.next().value === true) values.push(...(last === undefined ? [] : [last]), entry);
        else values.push(`${last}, ${entry}`);
      }
      const read = [...readOwnKeys(values)].map(([provider, text]) => [provider, text.reveal()]);
      return JSON.stringify(read) === JSON.stringify(pairs);
    }),
  );
  t.pass('every cutting');
});

t.test('policy', async (t) => {
  const accounts = new Map(
    (['off', 'allowed', 'required'] as const).map((bringYourOwn: BringYourOwn) => [
      bringYourOwn,
      account({ name: bringYourOwn, bringYourOwn }),
    ]),
  );
  checkOwnKeys(readOwnKeys(['allowed=k, required=k']), accounts);
  const off = refusal(() => checkOwnKeys(readOwnKeys(['off=canary']), accounts));
  const unknown = refusal(() => checkOwnKeys(readOwnKeys(['allowed=k,nobody=canary']), accounts));
  t.match(off, { code: 'model_not_allowed', status: 403 });
  t.equal(unknown.message.replace('nobody', 'off'), off.message, 'who is configured is not told');
  const [closed, open, needy] = [...accounts.values()];
  if (!closed || !open || !needy) throw new Error('no accounts');
  t.same(
    [closed, open, needy].map((one) => lacksOwnKey(one, NO_OWN_KEYS)),
    [false, false, true],
  );
  t.notOk(lacksOwnKey(needy, readOwnKeys(['required=k'])));
  t.match(ownKeyNeeded('required'), { status: 400, param: OWN_KEY_HEADER, message: /required=<key>/ });
});

t.test('the key goes where the kind wants it, and to its provider only', async (t) => {
  const keys = readOwnKeys(['a=k-1']);
  const a = account({ name: 'a', bringYourOwn: 'allowed' });
  t.same(authoriseOwn(a, openai, keys), {
    headers: [{ name: 'authorization', value: 'Bearer k-1' }],
    secrets: ['k-1'],
    index: -1,
  });
  t.match(authoriseOwn(a, azureOpenai, keys), { headers: [{ name: 'api-key', value: 'k-1' }] });
  t.equal(authoriseOwn(account({ name: 'b', bringYourOwn: 'allowed' }), openai, keys), null);
  t.equal(authoriseOwn(account({ name: 'a', bringYourOwn: 'off' }), openai, keys), null);
  t.equal(authoriseOwn(a, { ...openai, credential: null }, keys), null, 'a kind without a key');
});
