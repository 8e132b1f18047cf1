import { ERROR_CODES } from './error-codes.js';

/** The text of docs/errors.md. */
export function errorReference(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, entry]) =>
      `| ${entry.status} | \`${code}\` | \`${entry.fault}\` | \`${entry.type}\` | ${entry.when} | ${entry.remedy} |`,
  );
  return `${INTRODUCTION}\n${rows.join('\n')}\n`;
}

const INTRODUCTION = `# Errors

Generated from \`src/dialects/error-codes.ts\`; do not edit.

Errors come in the shape of the API that the client speaks: OpenAI's \`{"error":{"message","type","param","code"}}\`,
Anthropic's on \`/v1/messages\`, Google's on \`/v1beta\` and \`/v1/models/{model}:…\`. The list of codes is closed. Metrics and
records put whose fault it is before the code: \`client.invalid_json\`, \`provider.provider_auth\`.

A provider's own 400, 404, 409, 413, 422 and 429 keep their status, message, code and \`retry-after\`. A provider's 401 or 403,
or any answer that blames the credential, is the gateway's trouble and never the client's: 502 \`provider_auth\`.

| status | code | fault | type | when | what to do |
|---|---|---|---|---|---|`;
