/** Pages of the reference that no single setting could hold. */

export const CONDITIONS = `### Conditions

A \`when\` is an expression of [CEL](https://cel.dev), checked when the configuration is loaded. It can look at

| Name | What it is |
|---|---|
| \`request.model\` | the name that the client sent |
| \`request.endpoint\` | the client's path, such as \`/v1/chat/completions\` |
| \`request.stream\` \`request.tools\` | true or false: a stream was asked for, tools are offered |
| \`request.user\` | the end user that the request names; empty without one |
| \`request.metadata.<name>\` | an entry of \`x-tollgate-metadata\` |
| \`request.headers["name"]\` | a request header, in any case; never one that carries a key or a cookie |
| \`request.input_tokens\` | estimated tokens of the input |
| \`key.id\` \`key.labels.<name>\` | the gateway key |
| \`limit["name"].used\` \`.max\` \`.ratio\` | state of the counter that this request would use of a limit, in requests, tokens or dollars; \`ratio\` is \`used\` ÷ \`max\`. With several bounds: those of the fullest |

A name that is no plain word goes into brackets: \`key.labels["cost-centre"]\`. A label, metadata entry or header that is
not there reads as the empty text: it equals nothing, and \`!=\` is true; \`has(key.labels.team)\` tells whether it is there.
An expression that fails, such as \`int(request.metadata.n)\` of something that is no number, does not match. \`matches()\`
is not supported. Equalities joined by \`&&\`, such as \`key.labels.team == "search" && request.model == "smart"\`, cost
next to nothing however many there are; others cost less than a microsecond each.`;

export const LIMITS_EXAMPLE = `limits:
  - { name: search-budget, when: 'key.labels.team == "search"', cost: { max: 500, window: month }, alert_at: [0.8, 1.0] }
  - name: per-user
    per: [key.id, request.user]
    requests: { max: 60, window: 1m }
    tokens: { max: 100000, window: 1m }
    concurrent: 10
  - { name: free-tier, when: 'key.labels.tier == "free"', per: [key.id], cost: { max: 1, window: day }, action: { use: fast } }
`;
