import fc from 'fast-check';
import t from 'tap';
import { SseSplitter } from '../../src/codec/sse.js';

/** An event that the handler reads by itself where it may. */
const KNOWN = 'data: x\n\n';

function read(chunks: readonly Buffer[], maxLine?: number): { events: string[]; skipped: number } {
  const events: string[] = [];
  const splitter = new SseSplitter(
    {
      event: (type, bytes, start, end) => void events.push(`${type}|${bytes.toString('utf8', start, end)}`),
      bareError: (bytes, start, end) => void events.push(`!${bytes.toString('utf8', start, end)}`),
      passOver(chunk, from) {
        let at = from;
        for (; chunk.indexOf(KNOWN, at) === at; at += KNOWN.length) events.push('|x');
        return at;
      },
    },
    maxLine,
  );
  for (const chunk of chunks) {
    // The splitter may not rely on a chunk's memory after the call.
    const own = Buffer.from(chunk);
    splitter.push(own);
    own.fill(0x7e);
  }
  splitter.end();
  return { events, skipped: splitter.skippedLines };
}

function whole(text: string): string[] {
  return read([Buffer.from(text)]).events;
}

t.test('grammar', async (t) => {
  t.strictSame(whole('data: a\n\ndata:b\n\n'), ['|a', '|b'], 'with and without a space');
  t.strictSame(whole('data: a\r\n\r\ndata: b\r\n\r\n'), ['|a', '|b'], 'CRLF');
  t.strictSame(whole('data: a\r\rdata: b\r\r'), ['|a', '|b'], 'CR');
  t.strictSame(whole('data: a\n\r\ndata: b\r\n\n'), ['|a', '|b'], 'mixed');
  t.strictSame(whole(': ping\n\nid: 1\nretry: 5\nevent: x\ndata: a\n\n'), ['x|a'], 'comments and other fields');
  t.strictSame(whole('event: x\n\ndata: a\n\n'), ['|a'], 'a type without data is forgotten');
  t.strictSame(whole('data: a\ndata: b\ndata\n\n'), ['|a\nb\n'], 'several data lines');
  t.strictSame(whole('data: a\n\nerror: {"x":1}\n'), ['|a', '!{"x":1}'], 'bare error line');
  t.strictSame(whole('data: a\n\ndata: b'), ['|a', '|b'], 'no last line end');
  t.strictSame(whole('\ufeffdata: a\n\n'), ['|a'], 'byte order mark');
  t.strictSame(whole('database: a\n\nerrors: b\n\n'), [], 'longer field names are other fields');
});

t.test('long lines', async (t) => {
  const long = 'é'.repeat(100_000);
  t.strictSame(whole(`data: ${long}\n\ndata: b\n\n`), [`|${long}`, '|b']);
  const bounded = read([Buffer.from(`data: ${'x'.repeat(100)}\n\ndata: b\n\ndata: ${'x'.repeat(100)}`)], 50);
  t.strictSame(bounded, { events: ['|b'], skipped: 2 });
  const cut = read([Buffer.from(`data: ${'x'.repeat(100)}`), Buffer.from(`${KNOWN}data: b\n\n`)], 50);
  t.strictSame(cut, { events: ['|b'], skipped: 1 });
});

t.test('property: any cutting gives the same events', async () => {
  const line = fc.constantFrom(
    'data: {"a":"é😀"}',
    'data: x',
    'data:',
    'event: e',
    ': c',
    'error: no',
    'id: 1',
    '',
    '',
  );
  const end = fc.constantFrom('\n', '\r\n', '\r');
  const stream = fc.array(fc.tuple(line, end), { maxLength: 30 }).map((lines) => Buffer.from(lines.flat().join('')));
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.nat(400), { maxLength: 20 }),
      fc.integer({ min: 8, max: 60 }),
      (bytes, cuts, bound) => {
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        const expected = JSON.stringify(read([bytes], bound));
        if (JSON.stringify(read(pieces, bound)) !== expected) throw new Error('cut');
        if (
          JSON.stringify(
            read(
              [...bytes].map((byte) => Buffer.from([byte])),
              bound,
            ),
          ) !== expected
        )
          throw new Error('bytes');
      },
    ),
    { numRuns: 1500 },
  );
});
