import t from 'tap';
import { parseAccessLogLine } from '../../../src/accounting/access-log.js';
import { inputTokensOf } from '../../../src/accounting/recovery/input-tokens.js';
import { TokenWidths } from '../../../src/accounting/recovery/token-widths.js';
import { hold } from '../samples.js';

const TARGET = 'openai/gpt-5';
const HOLD = hold('r1', { stream: true, input_tokens: 5_000 });

function tokensOf(bytes: number, widths?: TokenWidths, changes = {}): number {
  const line = parseAccessLogLine(JSON.stringify({ id: 'r1', time: HOLD.time, bytes_received: bytes }));
  if (line === null) throw new Error('no line');
  return inputTokensOf({ ...HOLD, ...changes }, TARGET, { line, widths });
}

t.test('input that nobody counted', async (t) => {
  const widths = new TokenWidths();
  // 80 bytes of form, 5 for each token.
  for (let tokens = 10; tokens <= 100; tokens += 10) {
    const kind = { target: TARGET, endpoint: HOLD.endpoint, stream: true };
    widths.observe(kind, { request: [80 + 5 * tokens, tokens], answer: [100, 1] });
  }
  t.equal(tokensOf(330), 83, 'a quarter of the bytes where nothing is known');
  t.equal(tokensOf(330, new TokenWidths()), 83);
  t.equal(tokensOf(330, widths), 51, 'learned: the line, and 2 % of the mean');
  t.equal(tokensOf(330, widths, { stream: false }), 83, 'requests of another kind');
  t.equal(tokensOf(330, widths, { endpoint: '/v1/embeddings' }), 83);
  t.equal(tokensOf(900_000, widths), 5_000, 'an image: never above the bound of the hold');
  t.equal(tokensOf(0, widths), 0);
});
