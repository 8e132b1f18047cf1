import { z } from 'zod';
import { compileCondition } from './compile-condition.js';
import { nanoDollars } from './decimal.js';
import { decimal, flag, integer, list, parsedText, struct, text } from './fields.js';
import { parseWindow } from './limit-window.js';
import { parsePartition } from './partition.js';
import { parseShare } from './quantity.js';

/** What stands below `limits` and `routes`. Part of the schema. */

const MOST_COUNTED = 1_000_000_000_000_000;
/** What still fits into 64 bits as nano-dollars. */
const MOST_DOLLARS = 9_000_000_000n;
const NANO = 1_000_000_000n;

const condition = parsedText(compileCondition).meta({ format: 'condition' }).optional().meta({
  description: 'A condition, see [Conditions](#conditions). Not set = every request.',
  example: `'key.labels.team == "search"'`,
});

const modelName = text('a model name or provider/model', /^[^\s\p{Cc}]+$/u);

const period = {
  window: parsedText(parseWindow).meta({
    format: 'window',
    description:
      'How long a counter lives: `minute`, `hour`, `day`, `week` (from Monday) or `month` of the calendar in `time_zone`, `total` (for ever), or a duration of at least 1s, aligned to the epoch.',
    example: 'month',
  }),
  sliding: flag().prefault(false).meta({
    description: 'The last `window` from now instead of fixed windows one after another. Only for durations.',
    example: 'true',
  }),
};

const counted = integer({ min: 1, max: MOST_COUNTED });

const requests = struct({
  max: counted.meta({ description: 'Admitted requests in one window.', example: '60' }),
  ...period,
});

const tokens = struct({
  max: counted.meta({ description: 'Tokens in one window.', example: '100000' }),
  of: z.enum(['total', 'input', 'output']).prefault('total').meta({
    description: 'Which tokens: `input` with what was read from a cache, `output` with reasoning, `total` = both.',
    example: 'output',
  }),
  ...period,
});

const cost = struct({
  max: decimal('dollars above 0 with at most 9 decimals, such as 500 or 0.25', budget).meta({
    description: 'Dollars in one window, exact to a nano-dollar.',
    example: '500',
  }),
  ...period,
});

function budget(dollars: string): bigint | null {
  const nano = nanoDollars(dollars);
  return nano !== null && nano > 0n && nano <= MOST_DOLLARS * NANO ? nano : null;
}

const alertShare = parsedText((text) => {
  const share = text.endsWith('%') ? parseShare(text) : /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
  if (share !== null && share > 0 && share <= 10) return { value: share };
  return { problem: 'must be a share of max above 0, such as 0.8 or 80%' };
}).meta({ format: 'share' });

const action = z
  .union(
    [
      z.enum(['reject', 'shadow']),
      struct({
        use: modelName.meta({
          description: 'Model or `provider/model` that serves the request instead.',
          example: 'cheap',
        }),
      }),
    ],
    { error: 'must be reject, shadow or { use: model }' },
  )
  .prefault('reject')
  .meta({
    description:
      'What happens to a request that does not fit: `reject` = 429; `shadow` = served, counted and reported; `{ use: model }` = served by that model.',
    example: '{ use: cheap }',
  });

const limit = struct({
  name: text('1 to 64 letters, digits, dots, dashes or underscores', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).meta({
    description: 'In answers, metrics and conditions. A new name is a new counter.',
    example: 'search-budget',
  }),
  when: condition,
  per: list(parsedText(parsePartition).meta({ format: 'field' }), '[key.id]')
    .prefault([])
    .meta({
      description:
        'Fields whose values each have counters of their own: `key.id`, `request.user`, `request.model`, `request.endpoint`, `key.labels.<name>`, `request.metadata.<name>`, `request.headers.<name>`. Empty = one counter for all.',
      example: '[key.id, request.user]',
    }),
  requests: requests
    .optional()
    .meta({ description: 'Bound on admitted requests.', example: '{ max: 60, window: 1m }' }),
  tokens: tokens.optional().meta({ description: 'Bound on tokens.', example: '{ max: 100000, window: 1m }' }),
  cost: cost.optional().meta({ description: 'Bound on dollars.', example: '{ max: 500, window: month }' }),
  concurrent: integer({ min: 1, max: 1_000_000 }).optional().meta({
    description: 'Requests that may be open at the same time.',
    example: '10',
  }),
  alert_at: list(alertShare, '[0.8, 1.0]').prefault([]).meta({
    description: 'Shares of `max` at which an alert is sent, once in a window.',
    example: '[0.8, 1.0]',
  }),
  action,
  hard: flag().prefault(true).meta({
    description:
      'While the store cannot be reached: `true` = 503, `false` = each process goes on for a minute with its share of `max`.',
    example: 'false',
  }),
});

const route = struct({
  when: condition,
  model: modelName.meta({ description: 'Model or `provider/model` that replaces the one asked for.', example: 'fast' }),
});

export const limitsSchema = list(limit).prefault([]).meta({
  description:
    'How much may be used, by whom. A request is held against every limit that covers it, all or none, before it is sent, and settled with the truth. A limit has at least one of `requests`, `tokens`, `cost` and `concurrent`.',
});

export const routesSchema = list(route).prefault([]).meta({
  description: 'Rules that replace the model that was asked for; the first that matches counts.',
});

/** What the schema makes of one entry of `limits` and of `routes`. */
export type ValidLimit = z.output<typeof limit>;
export type ValidRoute = z.output<typeof route>;
