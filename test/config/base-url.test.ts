import t from 'tap';
import { load } from './surroundings.js';

const KEY = `credentials: "\${OPENAI_API_KEY}"`;

function problem(account: string): string {
  const [first = 'none', ...more] = load(`providers: { p: { ${account}, ${KEY} } }`).problems;
  if (more.length > 0) throw new Error(more.join('\n'));
  return first.replace(/^\S+ /, '');
}

t.test('addresses of vendors that cannot work', async (t) => {
  const azure = 'https://acme.openai.azure.com';
  const cases: readonly (readonly [account: string, found: string | RegExp])[] = [
    ['kind: anthropic, base_url: https://api.anthropic.com', /must be https:\/\/api\.anthropic\.com\/v1, as it is/],
    ['kind: openai, base_url: https://api.openai.com/', /must be https:\/\/api\.openai\.com\/v1/],
    ['kind: gemini, base_url: https://generativelanguage.googleapis.com', /\/v1beta, as it is without base_url/],
    ['kind: gemini, base_url: https://generativelanguage.googleapis.com/v1beta/openai', /must end before "\/openai"/],
    [
      `kind: azure-openai, base_url: ${azure}`,
      new RegExp(`must end with /openai/v1: ${azure}/openai/v1; or set api_v`),
    ],
    [`kind: azure-openai, base_url: ${azure}/openai/v1, api_version: 2024-10-21`, /leave out api_version/],
    // Those that do.
    ['kind: gemini, base_url: https://generativelanguage.googleapis.com/v1', 'none'],
    ['kind: deepseek, base_url: https://api.deepseek.com', 'none'],
    ['kind: zhipu, base_url: https://api.z.ai/api/coding/paas/v4', 'none'],
    ['kind: anthropic, base_url: http://127.0.0.1:9000', 'none'],
    ['kind: bedrock, region: eu-central-1, base_url: https://bedrock-runtime.eu-central-1.amazonaws.com', 'none'],
    [`kind: azure-openai, base_url: ${azure}, api_version: 2024-10-21`, 'none'],
    [`kind: azure-openai, base_url: ${azure}/openai/v1/`, 'none'],
    ['kind: azure-openai, base_url: http://127.0.0.1:9000', 'none'],
  ];
  for (const [account, found] of cases) t.match(problem(account), found, account);
});

t.test('kinds by the names that people have for them', async (t) => {
  const said = (kind: string) => load(`providers: { p: { kind: ${kind} } }`).problems.join();
  t.match(said('claude'), /unknown provider kind "claude"; did you mean "anthropic"\?/);
  t.match(said('google'), /did you mean "gemini" or "vertex"\?/);
  t.match(said('AWS'), /did you mean "bedrock"\?/);
  t.match(said('constructor'), /known are openai, /);
});
