import fc from 'fast-check';
import t from 'tap';
import { type HeaderField, headerField } from '../../../../src/extproc/transport/h2/header-field.js';
import { HpackDecoder } from '../../../../src/extproc/transport/h2/hpack-decoder.js';
import { decodeHuffman } from '../../../../src/extproc/transport/h2/huffman.js';
import { CODE, ConnectionError } from '../../../../src/extproc/transport/h2/protocol.js';
import { STATIC_FIELDS } from '../../../../src/extproc/transport/h2/static-table.js';
import { huffman, integer, literal, text } from './raw-peer.js';

function decode(decoder: HpackDecoder, block: Buffer): string[] {
  const fields: string[] = [];
  decoder.decode(block, { take: ({ name, value }) => fields.push(`${name}: ${value}`) });
  return fields;
}

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

const FIRST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
const SECOND = [...FIRST, 'cache-control: no-cache'];
const THIRD = [
  ':method: GET',
  ':scheme: https',
  ':path: /index.html',
  ':authority: www.example.com',
  'custom-key: custom-value',
];

/** RFC 7541, appendix C: blocks of one connection, and what they say. */
const VECTORS: Readonly<Record<string, readonly (readonly [string, readonly string[]])[]>> = {
  'C.2.1 literal with indexing': [
    ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header']],
  ],
  'C.2.2 literal without indexing': [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']]],
  'C.2.3 literal never indexed': [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']]],
  'C.2.4 indexed': [['82', [':method: GET']]],
  'C.3 requests without Huffman coding': [
    ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', FIRST],
    ['8286 84be 5808 6e6f 2d63 6163 6865', SECOND],
    ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', THIRD],
  ],
  'C.4 requests with Huffman coding': [
    ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', FIRST],
    ['8286 84be 5886 a8eb 1064 9cbf', SECOND],
    ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', THIRD],
  ],
};

t.test('the vectors of RFC 7541', async (t) => {
  for (const [name, blocks] of Object.entries(VECTORS)) {
    const decoder = new HpackDecoder();
    for (const [bytes, fields] of blocks) t.same(decode(decoder, hex(bytes)), fields, name);
  }
  t.equal(decodeHuffman(hex('9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3')), 'https://www.example.com');
  t.equal(
    decodeHuffman(hex('d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff')),
    'Mon, 21 Oct 2013 20:13:21 GMT',
  );
  t.equal(STATIC_FIELDS.length, 61);
  t.same(STATIC_FIELDS[30], ['content-type', '']);
});

t.test('property: Huffman coded texts, and bytes that are none', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) =>
      Buffer.from(decodeHuffman(huffman(Buffer.from(bytes))), 'latin1').equals(Buffer.from(bytes)),
    ),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      try {
        // What is a text at all is coded in one way only.
        return huffman(Buffer.from(decodeHuffman(Buffer.from(bytes)), 'latin1')).equals(Buffer.from(bytes));
      } catch (error) {
        return error instanceof ConnectionError && error.code === CODE.compression;
      }
    }),
    { numRuns: 2000 },
  );
  t.throws(() => decodeHuffman(hex('ffffffff')), /the end within a text/);
  t.throws(() => decodeHuffman(hex('1f ff')), /the end of a coded text/, 'eight bits of padding');
  t.throws(() => decodeHuffman(hex('00')), /the end of a coded text/, 'padding of zeros');
});

/** An encoder with a table of its own, which says each field in the way that it is told. */
class Encoder {
  #table: HeaderField[] = [];
  #allowed = 4096;

  resize(allowed: number): Buffer {
    this.#allowed = allowed;
    this.#shrink();
    return integer(allowed, 5, 0x20);
  }

  say(name: string, value: string, way: number): Buffer {
    const index = this.#table.findIndex((field) => field.name === name && field.value === value);
    if (index >= 0 && way % 2 === 0) return integer(62 + index, 7, 0x80);
    const named = this.#table.findIndex((field) => field.name === name);
    const [bits, first] = way % 3 === 0 ? [6, 0x40] : way % 3 === 1 ? [4, 0x10] : [4, 0];
    const head =
      named >= 0 && way % 5 < 3
        ? integer(62 + named, bits, first)
        : Buffer.concat([Buffer.of(first), text(name, way % 7 < 3)]);
    const bytes = Buffer.concat([head, text(value, way % 11 < 6)]);
    if (first === 0x40) {
      this.#table.unshift(headerField(name, value));
      this.#shrink();
    }
    return bytes;
  }

  #shrink(): void {
    while (this.#table.reduce((sum, { size }) => sum + size, 0) > this.#allowed) this.#table.pop();
  }
}

t.test('property: what an encoder says in any way is heard, whatever the table forgets', async () => {
  const name = fc.constantFrom('role', 'x-request-id', 'x'.repeat(300), ':path', 'te');
  const value = fc.oneof(
    fc.constantFrom('', 'request', 'y'.repeat(900)),
    fc.string({ unit: 'binary-ascii', maxLength: 20 }),
  );
  const said = fc.tuple(name, value, fc.nat());
  const blocks = fc.array(fc.tuple(fc.option(fc.nat(4096)), fc.array(said, { maxLength: 12 })), { maxLength: 8 });
  fc.assert(
    fc.property(blocks, (all) => {
      const encoder = new Encoder();
      const decoder = new HpackDecoder();
      return all.every(([allowed, fields]) => {
        const parts = allowed === null ? [] : [encoder.resize(allowed)];
        for (const [name, value, way] of fields) parts.push(encoder.say(name, value, way));
        const heard = decode(decoder, Buffer.concat(parts));
        return heard.join('\n') === fields.map(([name, value]) => `${name}: ${value}`).join('\n');
      });
    }),
    { numRuns: 500 },
  );
});

t.test('what is refused', async (t) => {
  const CASES: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
    'index 0': [hex('80'), /no field 0/],
    'an index that nobody has': [hex('be'), /no field 62/],
    'a name that nobody has': [hex('7f00 0161'), /no field 63/],
    'a text that is cut': [hex('0003 6162'), /a text that is cut/],
    'a number that is cut': [hex('ff'), /a block that is cut/],
    'a number without an end': [hex('ff ffffffffffffffffff'), /a huge number/],
    'a table that was not allowed': [integer(4097, 5, 0x20), /a table of 4097 bytes/],
    'a table size after a field': [hex('82 20'), /a table size after fields/],
    'many large fields': [Buffer.concat(Array(20).fill(literal('a', 'x'.repeat(4000)))), /too many headers/],
  };
  for (const [name, [block, message]] of Object.entries(CASES)) {
    t.throws(() => decode(new HpackDecoder(), block), message, name);
  }
  const bomb = new HpackDecoder();
  decode(bomb, Buffer.concat([Buffer.of(0x40), text('a'), text('x'.repeat(4000))]));
  t.throws(
    () => decode(bomb, Buffer.alloc(17, 0xbe)),
    { code: CODE.enhanceYourCalm },
    'a large field said again and again',
  );
});

t.test('property: any bytes end in an error of ours, or mean something', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      try {
        for (const block of blocks) decode(decoder, Buffer.from(block));
      } catch (error) {
        return error instanceof ConnectionError;
      }
      return true;
    }),
    { numRuns: 3000 },
  );
});
