import type { z } from 'zod';
import { parseDecimal, shiftDecimal } from './decimal.js';
import { amount, decimal, list, moment, named, parsedText, struct, text } from './fields.js';
import { parseShare } from './quantity.js';
import { didYouMean } from './suggest.js';

/** What stands below `prices`, `discounts` and `billing`. Part of the schema. */

const GLOB = /^[^\s\p{Cc}]+$/u;
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export const labelsField = () =>
  named(text('a label name', /^[A-Za-z_][\w.-]*$/), text('text', /^[^\p{Cc}]*$/u)).prefault({});

const period = {
  from: moment().optional().meta({ description: 'First moment at which it holds.', example: '2026-01-01' }),
  until: moment().optional().meta({ description: 'First moment at which it holds no more.', example: '2027-01-01' }),
};

const dollars = (what: string, fallback: string, example: string) =>
  amount()
    .optional()
    .meta({ description: `Dollars per million ${what}. Not set = as \`${fallback}\`.`, example });

const price = struct({
  model: text('a provider/model or a pattern', GLOB).meta({
    description: '`provider/model`; `*` stands for any text.',
    example: 'openai/gpt-5',
  }),
  input: amount().meta({ description: 'Dollars per million input tokens.', example: '1.25' }),
  output: amount().meta({ description: 'Dollars per million output tokens.', example: '10' }),
  cache_read: dollars('input tokens read from the cache', 'input', '0.125'),
  cache_write: dollars('input tokens written to the cache', 'input', '1.25'),
  input_audio: dollars('audio tokens of the input', 'input', '40'),
  output_audio: dollars('audio tokens of the output', 'output', '80'),
  input_image: dollars('image tokens of the input', 'input', '10'),
  reasoning: dollars('reasoning tokens', 'output', '10'),
  request: amount().prefault(0).meta({ description: 'Dollars per request, on top of tokens.', example: '0.005' }),
  unit: amount().prefault(0).meta({
    description: 'Dollars per billable unit that is no token, such as an image made or a search.',
    example: '0.04',
  }),
  ...period,
});

export const pricesSchema = list(price)
  .prefault([])
  .meta({ description: 'Prices before the catalogue; the first match wins.' });

const discount = struct({
  model: text('a provider/model or a pattern', GLOB).prefault('*').meta({
    description: '`provider/model`; `*` stands for any text.',
    example: '"openai/*"',
  }),
  labels: labelsField().meta({
    description: 'Labels that the key must have, all of them.',
    example: '{ team: search }',
  }),
  discount: parsedText((text) => {
    const share = parseShare(text);
    return share !== null && share <= 1
      ? { value: share }
      : { problem: 'must be a percentage from 0% to 100%, such as 15%' };
  }).meta({ format: 'percentage', description: 'What is taken off the price.', example: '15%' }),
  ...period,
});

export const discountsSchema = list(discount).prefault([]).meta({
  description: 'Discounts by contract, off the catalogue and off `prices`; the first match wins.',
});

const currency = () =>
  parsedText((text) => {
    if (CURRENCIES.has(text)) return { value: text };
    const suggestion = CURRENCIES.has(text.toUpperCase()) ? `; did you mean "${text.toUpperCase()}"?` : '';
    return { problem: `must be a currency of ISO 4217, such as EUR${suggestion || nearCurrency(text)}` };
  }).meta({ format: 'currency' });

/** Three letters are near to too many others: only a longer word is worth a guess. */
function nearCurrency(text: string): string {
  return text.length > 3 ? didYouMean(text.toUpperCase(), CURRENCIES) : '';
}

/** `key.labels.<name>`, `key` or `user`. */
export const customerField = () =>
  parsedText((text) => {
    const known = { key: 'key', 'key.id': 'key', user: 'user', 'request.user': 'user' }[text];
    if (known !== undefined) return { value: known };
    if (/^key\.labels\.[A-Za-z_][\w.-]*$/.test(text)) return { value: text };
    return { problem: 'must be key, user or key.labels.<name>, such as key.labels.customer' };
  }).meta({ format: 'field' });

const positive = (text: string) => (text === '0' ? null : text);
const own = (what: string) =>
  decimal('an amount of the currency, 0 or more', (text) => text).meta({ description: what });

const planPrice = struct({
  model: text('a model name or a pattern', GLOB).meta({
    description: 'Name that the client asked for; `*` stands for any text.',
    example: 'smart',
  }),
  input: own('Per million input tokens.').meta({ example: '3' }),
  output: own('Per million output tokens.').meta({ example: '15' }),
  cache_read: own('Per million input tokens read from the cache. Not set = as `input`.').optional().meta({
    description: 'Per million input tokens read from the cache. Not set = as `input`.',
    example: '0.3',
  }),
  cache_write: own('').optional().meta({
    description: 'Per million input tokens written to the cache. Not set = as `input`.',
    example: '3.75',
  }),
  request: decimal('an amount of the currency, 0 or more', (text) => text)
    .prefault('0')
    .meta({ description: 'Per request, on top of tokens.', example: '0.01' }),
});

const markup = parsedText((text) => {
  const digits = text.endsWith('%') ? parseDecimal(text.slice(0, -1)) : null;
  const share = digits === null ? null : shiftDecimal(digits, -2);
  if (share !== null && Number(share) <= 1000) return { value: share };
  return { problem: 'must be a percentage, 0% or more, such as 20%' };
}).meta({ format: 'percentage' });

const plan = struct({
  name: text('1 to 64 letters, digits, dots, dashes or underscores', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).meta({
    description: 'On invoices and in reports.',
    example: 'gold',
  }),
  labels: labelsField().meta({
    description: 'Labels that the key must have, all of them. Empty = every request.',
    example: '{ tier: gold }',
  }),
  currency: currency().prefault('USD').meta({ description: 'Code of ISO 4217.', example: 'EUR' }),
  markup: markup.prefault('0%').meta({ description: 'On top of what requests cost.', example: '20%' }),
  prices: list(planPrice).prefault([]).meta({
    description: 'Own prices, in `currency`; the first match wins. Requests without a match pay cost and `markup`.',
  }),
});

const rate = struct({
  currency: currency().meta({ description: 'Code of ISO 4217.', example: 'EUR' }),
  per_dollar: decimal('a number above 0, such as 0.92', positive).meta({
    description: 'What one dollar costs in it.',
    example: '0.92',
  }),
  from: moment().optional().meta({
    description: 'First moment at which the rate holds. Not set = from the beginning.',
    example: '2026-01-01',
  }),
});

export const billingSchema = struct({
  customer: customerField().prefault('key.labels.customer').meta({
    description: 'Who is invoiced: `key.labels.<name>`, `key` or `user`.',
    example: 'key.labels.customer',
  }),
  rates: list(rate).prefault([]).meta({ description: 'Rates of exchange, for every currency but USD.' }),
  plans: list(plan).prefault([]).meta({
    description: 'What is charged; the first plan whose labels match. Requests without one are not charged.',
  }),
})
  .optional()
  .meta({ description: 'What customers are charged, beside what requests cost. Without it nobody is charged.' });

export type ValidPrice = z.output<typeof price>;
export type ValidDiscount = z.output<typeof discount>;
export type ValidBilling = NonNullable<z.output<typeof billingSchema>>;
