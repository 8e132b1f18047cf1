/** Where a kind expects its API on the replaying server, and what else its account must say. */
const ACCOUNTS: Readonly<Record<string, { readonly path: string; readonly [setting: string]: string }>> = {
  anthropic: { path: '/v1' },
  bedrock: { path: '', region: 'us-east-1' },
  cohere: { path: '/v2' },
  gemini: { path: '/v1beta' },
  vertex: { path: '', project: 'p', location: 'global' },
};

/** The section `providers` of a config in which each kind, under its own name, is asked on a local port. */
export function replayProviders(kinds: Iterable<string>, port: number): Record<string, Record<string, string>> {
  const account = (kind: string): Record<string, string> => {
    const { path, ...settings } = ACCOUNTS[kind] ?? { path: '/v1' };
    return {
      kind,
      base_url: `http://127.0.0.1:${port}${path}`,
      credentials: 'sk-provider-0123456789abcdef',
      ...settings,
    };
  };
  return Object.fromEntries([...kinds].map((kind) => [kind, account(kind)]));
}
