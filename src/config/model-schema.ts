import { z } from 'zod';
import { amount, duration, durationOrOff, flag, integer, list, parsedText, share, struct, text } from './fields.js';
import { shown } from './problem.js';
import { DEFAULT_RETRY_ON, RETRY_WORDS } from './retry-on.js';
import { didYouMean } from './suggest.js';

/** What stands below `models.<name>`: targets, how one is picked, and when the next is tried. Part of the schema. */

const RESPONSE = 'Longest wait for the response headers of one attempt without streaming';
const FIRST_TOKEN = 'Longest wait for the first token of one streamed attempt';
const STALL = 'Longest silence of a stream after its first token; then the stream is cut';

const reasons = list(parsedText(readReason).meta({ format: 'retry-reason' }), '[429, 5xx, connect, reset, timeout]');

function readReason(text: string): { readonly value: string } | { readonly problem: string } {
  if (/^[45]\d\d$/.test(text) || RETRY_WORDS.includes(text)) return { value: text };
  const suggestion = /^\dxx$/.test(text) ? '' : didYouMean(text, RETRY_WORDS);
  if (suggestion !== '') return { problem: `unknown reason ${shown(text)}${suggestion}` };
  return { problem: `must be a status from 400 to 599 or one of ${RETRY_WORDS.join(', ')}` };
}

/** `parse({})` gives the defaults: they also hold for names that no configured model covers. */
export const retrySchema = struct({
  attempts: integer({ min: 1, max: 20 }).optional().meta({
    description:
      'Tries in all, the first included; the list of targets repeats from its start. Not set = the number of targets, at least 2.',
    example: '3',
  }),
  on: reasons.prefault([...DEFAULT_RETRY_ON]).meta({
    description:
      'What makes the next target worth a try, see [Retries](#retries); `[]` = nothing. Anything else is answered to the client at once.',
    example: '[429, 5xx, connect, reset, timeout]',
  }),
  response: duration({ atLeast: 1 })
    .prefault('5m')
    .meta({ description: `${RESPONSE}: a long answer may take minutes.`, example: '120s' }),
  first_token: durationOrOff({ atLeast: 1 })
    .prefault('30s')
    .meta({
      description: `${FIRST_TOKEN}; then the next target is tried, and the client never knows. Raise it for models that think long before they write. \`off\` = streams pass without a look into their first bytes, and \`response\` bounds their headers.`,
      example: '10s',
    }),
  stall: duration()
    .prefault('2m')
    .meta({ description: `${STALL}. 0 = no bound.`, example: '60s' }),
  total: duration().prefault('0').meta({
    description: 'Longest time for everything, all attempts and the whole stream included; 0 = no bound.',
    example: '5m',
  }),
});

/** No defaults: what is not set is the model's. */
const targetRetry = struct({
  on: reasons.optional().meta({
    description: "When to leave this target; not set = the model's.",
    example: '[5xx, connect]',
  }),
  response: duration({ atLeast: 1 })
    .optional()
    .meta({ description: `${RESPONSE}; not set = the model's.`, example: '10m' }),
  first_token: durationOrOff({ atLeast: 1 })
    .optional()
    .meta({ description: `${FIRST_TOKEN}, or \`off\`; not set = the model's.`, example: '60s' }),
  stall: duration()
    .optional()
    .meta({ description: `${STALL}; not set = the model's.`, example: '5m' }),
});

const targetName = text('provider/model, such as openai/gpt-5', /^[^\s/]+\/[^\s]+$/);

const target = struct({
  model: targetName.meta({ description: '`provider/model`.', example: 'openai/gpt-5' }),
  weight: amount().prefault(1).meta({
    description: 'Share of the requests, with `balance: weighted`. 0 = only when the others fail.',
    example: '80',
  }),
  context_window: integer({ min: 1, max: 1_000_000_000 }).optional().meta({
    description:
      'Tokens that the model takes, input and output together. After `context_length` only larger ones are tried. Not set = what the catalogue says.',
    example: '200000',
  }),
  retry: targetRetry.optional().meta({ description: "What differs from the model's `retry` for this target." }),
});

export const modelSchema = struct({
  targets: list(
    z.union([targetName, target], { error: 'must be provider/model or { model, weight, context_window, retry }' }),
    '[openai/gpt-5, groq/llama-3.3-70b]',
  )
    .min(1, 'needs at least one target')
    .max(16, 'more than 16 targets')
    .meta({
      description:
        '`provider/model`s, in the order in which they are tried; each as text or as a map of the settings below.',
      example: '[anthropic/claude-sonnet-4-5, openai/gpt-5]',
    }),
  balance: z.enum(['ordered', 'weighted', 'least_latency']).prefault('ordered').meta({
    description:
      'Which target a request tries first: `ordered` = the first of the list, `weighted` = by `weight`, `least_latency` = the quicker of two drawn at random, by time to first token and errors. The others follow as its fallbacks; unhealthy ones go last.',
    example: 'weighted',
  }),
  retry: retrySchema.prefault({}).meta({ description: 'When to give up on a target, and how often to try.' }),
  retry_budget: share().prefault('20%').meta({
    description:
      'Most extra attempts, as a share of the requests over a window, so that an outage does not multiply the traffic; a few in each window are always free. `off` = as many as `retry.attempts` allows.',
    example: '50%',
  }),
  output_cap: integer({ min: 1, max: 10_000_000 }).prefault(4096).meta({
    description:
      'Output tokens of one answer that a limit on tokens or cost reckons with before the truth is known, where the client names no bound of its own. Where a `hard` cost limit covers the request, the provider is asked to keep to it.',
    example: '16384',
  }),
  allow_unpriced: flag().prefault(false).meta({
    description: 'Serve the model even where its price is unknown and a cost limit covers the request.',
    example: 'true',
  }),
  strict: flag().prefault(false).meta({
    description:
      'Refuse a request with a field that the target cannot express (400 `unsupported_parameter`), instead of leaving the field out and naming it in `x-tollgate-warning`.',
    example: 'true',
  }),
});

/** What the schema makes of one model. */
export type ValidModel = z.output<typeof modelSchema>;
export type ValidRetry = z.output<typeof retrySchema>;
