import zlib from 'node:zlib';
import t from 'tap';
import { createContentDecoder } from '../../src/codec/content-encoding.js';
import { decodeWhole } from '../../src/codec/decode-whole.js';

const TEXT = Buffer.from('data: {"é":"😀"}\n\n'.repeat(3000));
const ENCODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: zlib.gzipSync,
  'X-GZIP': zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  ...(typeof zlib.zstdCompressSync === 'function' ? { zstd: zlib.zstdCompressSync } : {}),
};

async function decode(name: string, chunks: readonly Buffer[], maxOutput = 1e9) {
  const pieces: Buffer[] = [];
  const decoder = createContentDecoder(name, (piece) => pieces.push(piece), { maxOutput });
  if (decoder === null) throw new Error(`no decoder for ${name}`);
  for (const chunk of chunks) decoder.push(chunk);
  await decoder.finish();
  return { pieces, bytes: Buffer.concat(pieces), gaveUp: decoder.gaveUp };
}

for (const [name, encode] of Object.entries(ENCODERS)) {
  t.test(name, async (t) => {
    const packed = encode(TEXT);
    t.ok((await decode(name, [packed])).bytes.equals(TEXT), 'whole');
    t.ok(
      (
        await decode(
          name,
          [...packed].map((byte) => Buffer.from([byte])),
        )
      ).bytes.equals(TEXT),
      'bytes',
    );
    const cut = await decode(name, [packed.subarray(0, packed.length - 12)]);
    t.ok(TEXT.subarray(0, cut.bytes.length).equals(cut.bytes), 'a cut answer gives a true beginning');
    const damaged = await decode(name, [Buffer.from('this is not compressed at all')]);
    t.equal(damaged.gaveUp, true, 'damage ends quietly');
    const bomb = await decode(name, [encode(Buffer.alloc(20_000_000))], 1_000_000);
    t.ok(bomb.gaveUp && bomb.bytes.length <= 1_000_000, 'a bomb is given up');
    t.ok(
      bomb.pieces.every((piece) => piece.length <= 65_536),
      'in small pieces',
    );
  });
}

t.test('others', async (t) => {
  for (const name of ['identity', '', 'compress', 'gzip, br', '__proto__']) {
    t.equal(
      createContentDecoder(name, () => {}),
      null,
      name,
    );
  }
  t.ok(decodeWhole(zlib.gzipSync(TEXT), 'GZIP', 1e6)?.equals(TEXT));
  t.equal(decodeWhole(TEXT, undefined, 1), TEXT);
  t.equal(decodeWhole(zlib.gzipSync(TEXT), 'gzip', 10), null);
  t.equal(decodeWhole(TEXT, '__proto__', 1e6), null);
});
