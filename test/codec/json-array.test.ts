import fc from 'fast-check';
import t from 'tap';
import { JsonArrayCutter } from '../../src/codec/json-array.js';
import { cutAt, cuttings } from '../dialects/recordings.js';

/** Everything a cutter told, in order; `null` = too long. */
function cut(chunks: readonly Buffer[], max?: number): { told: (string | null)[]; whole: boolean } {
  const told: (string | null)[] = [];
  const handler = {
    element: (bytes: Buffer, start: number, end: number) => void told.push(bytes.toString('utf8', start, end)),
    tooLong: () => void told.push(null),
  };
  const cutter = new JsonArrayCutter(handler, max);
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    cutter.push(own);
    own.fill(0x7e);
  }
  return { told, whole: cutter.end() };
}

t.test('elements', async (t) => {
  const cases: readonly (readonly [text: string, told: readonly string[], whole: boolean])[] = [
    ['[]', [], true],
    [' [ \r\n ] ', [], true],
    ['[{"a":1}]', ['{"a":1}'], true],
    ['[{"a":[1,{}]}\r\n,\r\n{"b":"]}"}]', ['{"a":[1,{}]}', '{"b":"]}"}'], true],
    ['[{"a":"\\"}"},{"b":"\\\\"}]', ['{"a":"\\"}"}', '{"b":"\\\\"}'], true],
    ['[1, "x,]\\"" ,null,[2]]', ['1', '"x,]\\""', 'null', '[2]'], true],
    ['{"error":{"message":"no"}} trailing', ['{"error":{"message":"no"}}'], true],
    ['[{"a":1},{"b":', ['{"a":1}'], false],
    ['[{"a":1}', ['{"a":1}'], true],
    ['[{"a":"cut', [], false],
    ['[12', [], false],
    ['<html>[{}]', [], false],
    ['', [], true],
    ['[{}] [{"late":1}]', ['{}'], true],
  ];
  for (const [text, told, whole] of cases) {
    for (const chunks of cuttings(Buffer.from(text))) t.strictSame(cut(chunks), { told, whole }, text);
  }
});

t.test('an element above the bound is passed over', async (t) => {
  const text = `[{"a":1},{"a":"${'é'.repeat(40)}"},{"b":2},"${'x'.repeat(40)}"]`;
  for (const chunks of cuttings(Buffer.from(text))) {
    t.strictSame(cut(chunks, 32), { told: ['{"a":1}', null, '{"b":2}', null], whole: true });
  }
  const large = Buffer.from(`[{"a":"${'x'.repeat(4 * 1024 * 1024)}"},{}]`);
  t.strictSame(cut([large]).told, [null, '{}'], 'four mebibytes unless told');
});

t.test('what is cut out is what was put in, however it is cut', async () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), fc.nat(3), fc.array(fc.nat(200)), (values, indent, places) => {
      const bytes = Buffer.from(JSON.stringify(values, null, indent));
      const at = [...new Set(places.filter((place) => place < bytes.length))].sort((a, b) => a - b);
      const { told, whole } = cut(cutAt(bytes, at));
      const read = told.map((text) => JSON.stringify(JSON.parse(text ?? '')));
      return whole && JSON.stringify(read) === JSON.stringify(values.map((each) => JSON.stringify(each)));
    }),
  );
});

t.test('nothing makes it throw, and every cutting tells the same', async () => {
  const mess = fc.array(fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', ' ', 'a', '1', 'é'), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(mess, (pieces) => {
      const bytes = Buffer.from(pieces.join(''));
      const [first, ...others] = cuttings(bytes).map((chunks) => JSON.stringify(cut(chunks, 20)));
      return others.every((other) => other === first);
    }),
  );
});
