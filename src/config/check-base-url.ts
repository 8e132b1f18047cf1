import type { KnownKind } from './known-kind.js';
import type { Mistake, Path } from './problem.js';
import { has, textOf } from './raw-view.js';

/** Addresses of the vendor's own host that cannot work: on others, such as proxies, any path may be right. */
export function baseUrlMistakes(provider: unknown, path: Path, kind: KnownKind): readonly Mistake[] {
  const text = textOf(provider, 'base_url');
  if (text === null || !URL.canParse(text)) return [];
  const url = new URL(text);
  const message = kind.kind === 'azure-openai' ? azureMistake(provider, url) : pathMistake(url, kind);
  return message === null ? [] : [{ path: [...path, 'base_url'], at: 'value', message }];
}

function pathMistake(url: URL, { kind, baseUrl }: KnownKind): string | null {
  // A vendor with a place in its host name has no path.
  if (baseUrl === null || !URL.canParse(baseUrl)) return null;
  const own = new URL(baseUrl);
  if (url.host !== own.host || own.pathname === '/') return null;
  if (url.pathname === '/') return `must be ${baseUrl}, as it is without base_url`;
  const isShim = kind === 'gemini' && /\/openai\/?$/.test(url.pathname);
  return isShim ? `must end before "/openai": kind gemini speaks Google's own API` : null;
}

/** https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle */
function azureMistake(provider: unknown, url: URL): string | null {
  if (!/\.(?:openai|services\.ai|cognitiveservices)\.azure\.(?:com|us|cn)$/.test(url.hostname)) return null;
  const isDated = has(provider, 'api_version');
  const isUndated = /\/v1\/?$/.test(url.pathname);
  if (isDated && isUndated) return 'must end before "/openai/v1" where api_version is set, or leave out api_version';
  if (!isDated && !isUndated) return `must end with /openai/v1: ${url.origin}/openai/v1; or set api_version`;
  return null;
}
