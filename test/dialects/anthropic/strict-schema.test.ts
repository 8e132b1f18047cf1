import t from 'tap';
import { strictSchema } from '../../../src/dialects/anthropic/strict-schema.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';

const PERSON = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

t.test('objects are closed, bounds become words', async (t) => {
  t.strictSame(
    strictSchema({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        list: { type: 'array', items: PERSON, minItems: 1, maxItems: 3 },
        when: { type: 'string', format: 'date' },
        odd: { type: 'string', format: 'iban', description: 'A bank account.' },
        kind: { oneOf: [{ const: 'a' }, { enum: ['b', 'c'] }], examples: ['a'] },
        default: { $ref: '#/$defs/default' },
      },
      required: ['list', 'when', 'odd', 'kind', 'default'],
      $defs: { default: PERSON },
    }),
    {
      schema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: {
          list: {
            type: 'array',
            items: { ...PERSON, additionalProperties: false },
            minItems: 1,
            description: 'maxItems: 3',
          },
          when: { type: 'string', format: 'date' },
          odd: { type: 'string', description: 'A bank account.\nformat: "iban"' },
          kind: { anyOf: [{ const: 'a' }, { enum: ['b', 'c'] }] },
          default: { $ref: '#/$defs/default' },
        },
        required: ['list', 'when', 'odd', 'kind', 'default'],
        $defs: { default: { ...PERSON, additionalProperties: false } },
        additionalProperties: false,
      },
      loosened: ['maxItems', 'format'],
    },
  );
});

t.test('what cannot be said', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`m${index}`, { type: 'string' }]));
  let deep: JsonObject = { type: 'string' };
  for (let depth = 0; depth < 200; depth += 1) deep = { type: 'array', items: deep };
  const cases: readonly [name: string, schema: JsonObject][] = [
    ['a map', { type: 'object', additionalProperties: { type: 'string' } }],
    ['an open object', { type: 'object', properties: {}, additionalProperties: true }],
    ['any object', { type: ['object', 'null'] }],
    ['patterns of names', { type: 'object', properties: {}, patternProperties: { '^x': {} } }],
    ['one inside', { type: 'object', properties: { more: { type: 'object' } }, required: ['more'] }],
    ['a reference elsewhere', { $ref: 'https://example.com/schema' }],
    ['a reference to nothing', { $ref: '#/$defs/none', $defs: {} }],
    ['itself', { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }],
    [
      'itself by a definition',
      {
        ...PERSON,
        $defs: {
          tree: {
            type: 'object',
            properties: { sub: { type: 'array', items: { $ref: '#/$defs/tree' } } },
            required: ['sub'],
          },
        },
      },
    ],
    ['too many optional members', { type: 'object', properties: many }],
    ['too deep', deep],
  ];
  for (const [name, schema] of cases) t.equal(strictSchema(schema), null, name);
  t.not(strictSchema({ type: 'object', properties: many, required: Object.keys(many) }), null);
  t.not(strictSchema({ type: 'object', additionalProperties: false }), null, 'an empty object is closed');
  const twice = {
    type: 'object',
    properties: { a: { $ref: '#/$defs/p' }, b: { $ref: '#/$defs/p' } },
    required: ['a', 'b'],
    $defs: { p: PERSON },
  };
  t.not(strictSchema(twice), null, 'a definition may be used twice');
});
