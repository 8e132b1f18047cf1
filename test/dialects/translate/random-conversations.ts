import fc from 'fast-check';
import type { JsonObject } from '../../../src/dialects/json-value.js';

/** A conversation in no dialect. Whatever it holds can be said in every one of them. */
export interface Conversation {
  readonly system: string | null;
  readonly tools: readonly Tool[];
  readonly turns: readonly Turn[];
  readonly last: readonly Part[];
  readonly settings: Settings;
}

export type Part = { readonly text: string } | { readonly png: string } | { readonly link: string };

export interface Tool {
  readonly name: string;
  readonly description: string | null;
  readonly parameters: JsonObject;
}

export interface Turn {
  readonly user: readonly Part[];
  readonly text: string;
  readonly calls: readonly Call[];
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  readonly output: string;
  readonly failed: boolean;
}

export interface Settings {
  readonly model: string;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly effort: 'low' | 'medium' | 'high' | null;
  readonly user: string | null;
  readonly schema: JsonObject | null;
  readonly choice: 'auto' | 'none' | 'required' | 'named';
  readonly parallel: boolean;
  readonly stream: boolean;
}

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const word$ = fc.constantFrom(
  'Hello',
  'Größe',
  '日本',
  '👋🏽',
  '{"a":1}',
  'two\nlines',
  '"quoted"',
  ' spaced ',
  '<b>',
  '\\n',
);
const text$ = fc.array(word$, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
/** Texts without a visible character are valid in OpenAI's dialects, and nowhere else. */
const anyText$ = fc.oneof({ weight: 8, arbitrary: text$ }, { weight: 1, arbitrary: fc.constantFrom('', ' ', '\n') });
const part$: fc.Arbitrary<Part> = fc.oneof(
  { weight: 5, arbitrary: anyText$.map((text) => ({ text })) },
  { weight: 1, arbitrary: fc.constant({ png: PNG }) },
  { weight: 1, arbitrary: fc.constant({ link: 'https://example.com/a.png' }) },
);

const property$ = fc.constantFrom<JsonObject>(
  { type: 'string', description: 'Where?' },
  { type: 'integer', minimum: 0, exclusiveMaximum: 9 },
  { type: ['string', 'null'], enum: ['a', 'b', null] },
  { type: 'array', items: { type: 'number' }, uniqueItems: true },
  { anyOf: [{ type: 'string', format: 'date-time' }, { const: 3 }] },
  { $ref: '#/$defs/place' },
  { type: 'object', properties: { deep: { type: 'boolean' } }, additionalProperties: false },
);
const schema$ = fc.dictionary(fc.constantFrom('city', 'unit', 'days_ahead', '$odd'), property$, { maxKeys: 3 }).map(
  (properties): JsonObject => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
    $defs: { place: { type: 'string' } },
  }),
);

const NAMES = ['weather', 'get-time', 'mcp__files__read', '3d_render', '-x', 'a'.repeat(64)];
const tool$ = fc.record({
  name: fc.constantFrom(...NAMES),
  description: fc.option(text$),
  parameters: fc.oneof(schema$, fc.constant({}), fc.constant({ type: 'object' })),
});

const argument$ = fc.oneof(text$, fc.integer(), fc.boolean(), fc.constant(null), fc.constant({ deep: [1, 'x'] }));
const call$ = fc.record({
  arguments: fc.dictionary(fc.constantFrom('city', 'unit'), argument$, { maxKeys: 2 }),
  output: fc.oneof(anyText$, fc.constant('{"ok":true}')),
  failed: fc.boolean(),
  which: fc.nat(),
  id: fc.constantFrom('call', 'toolu', 'functions.weather:', 'with space', 'x'.repeat(70)),
});
const turn$ = fc.record({
  user: fc.array(part$, { minLength: 1, maxLength: 3 }),
  text: anyText$,
  calls: fc.array(call$, { maxLength: 3 }),
});

const settings$ = fc.record({
  model: fc.constantFrom('a', 'b'),
  temperature: fc.option(fc.constantFrom(0, 0.5, 1, 1.7, 2)),
  topP: fc.option(fc.constantFrom(0.1, 0.95, 1)),
  maxTokens: fc.constantFrom(16, 1_000, 9_000),
  stop: fc.uniqueArray(fc.constantFrom('END', '\n', '###', 'x', 'y'), { maxLength: 4 }),
  effort: fc.option(fc.constantFrom<'low' | 'medium' | 'high'>('low', 'medium', 'high')),
  user: fc.option(fc.constantFrom('u-1', 'jane@example.com')),
  schema: fc.option(schema$, { freq: 3 }),
  choice: fc.constantFrom<Settings['choice']>('auto', 'auto', 'none', 'required', 'named'),
  parallel: fc.boolean(),
  stream: fc.boolean(),
});

export const conversation$: fc.Arbitrary<Conversation> = fc
  .record({
    system: fc.option(anyText$),
    tools: fc.uniqueArray(tool$, { maxLength: 3, selector: ({ name }) => name }),
    turns: fc.array(turn$, { maxLength: 3 }),
    last: fc.array(part$, { minLength: 1, maxLength: 2 }),
    settings: settings$,
  })
  .map(({ turns, tools, ...rest }) => {
    let calls = 0;
    return {
      ...rest,
      tools,
      turns: turns.map((turn) => ({
        ...turn,
        calls: turn.calls.flatMap(({ which, id, ...call }) => {
          const tool = tools[which % Math.max(1, tools.length)];
          calls += 1;
          return tool === undefined ? [] : [{ ...call, id: `${id}${calls}`, name: tool.name }];
        }),
      })),
    };
  });
