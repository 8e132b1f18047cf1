import { decode, encode } from 'gpt-tokenizer/encoding/o200k_base';

/** Short and long words, numbers and signs, so that tokens have the widths that they have in answers. */
const SENTENCES = [
  'The committee postponed its decision until Thursday, because nobody had read all 47 pages. ',
  'You can restart the container with one command:\n\n```\ndocker compose up -d\n```\n\n',
  'Photosynthesis converts light into chemical energy; chlorophyll absorbs mostly red and blue. ',
  'I am sorry, but I do not know that. ',
  'First, measure 250 g of flour.\n- Then add two eggs\n- Whisk until smooth\n\n',
  'Her grandmother, who had never left the valley, asked what an aeroplane sounded like. ',
  'In 1969 it took 1.3 seconds for a radio signal to reach the Moon. ',
  '**Note:** interoperability is not the same thing as compatibility. ',
  'Yes. ',
  'const total = items.reduce((sum, item) => sum + item.price * item.count, 0);\n',
  'It rained. The streets were empty, and the shops had closed early. ',
  'Approximately 12.5 % of respondents considered the questionnaire incomprehensible. ',
] as const;

const TOKENS = SENTENCES.map((sentence) => encode(sentence).map((token) => decode([token])));

/** So many tokens of o200k, in sentences in random order. */
export function prose(random: () => number, count: number): string[] {
  const tokens: string[] = [];
  while (tokens.length < count) tokens.push(...(TOKENS[Math.floor(random() * TOKENS.length)] ?? []));
  return tokens.slice(0, count);
}
