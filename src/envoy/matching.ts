import { type EnvoyConfig, extension, typed } from './typed-config.js';

/** Predicate: a request header has this value. The name is for people only. */
export function headerIs(name: string, header: string, value: string): EnvoyConfig {
  const input = { name, typed_config: typed('type.matcher.v3.HttpRequestHeaderMatchInput', { header_name: header }) };
  return { single_predicate: { input, value_match: { exact: value } } };
}

/** Predicate: dynamic metadata has this text. Without the key it does not hold. */
export function metadataIs(namespace: string, key: string, value: string): EnvoyConfig {
  const input = extension(key, 'extensions.matching.common_inputs.network.v3.DynamicMetadataInput', {
    filter: namespace,
    path: [{ key }],
  });
  const matcher = extension('is', 'extensions.matching.input_matchers.metadata.v3.Metadata', {
    value: { string_match: { exact: value } },
  });
  return { single_predicate: { input, custom_match: matcher } };
}

/**
 * Predicate that holds once response headers are there and leaves everything open before: standing first in an
 * `and_matcher`, it puts the judgement off until what the request phase decided can be read.
 */
export const ANSWERED: EnvoyConfig = {
  single_predicate: {
    input: {
      name: 'answered',
      typed_config: typed('type.matcher.v3.HttpResponseHeaderMatchInput', { header_name: ':status' }),
    },
    // The engine is named because Envoy's validation still asks for it here.
    value_match: { safe_regex: { google_re2: {}, regex: '.*' } },
  },
};

/** Filters that run, in this order, where the predicate holds. */
export interface FilterCase {
  readonly predicate: EnvoyConfig;
  readonly filters: readonly EnvoyConfig[];
}

/**
 * The filters of the first case that holds; none where none holds. Filters that do not run are not even made: with a
 * SkipFilter action they are, and each ext_proc filter that only stands there takes about 5 % of what Envoy spends on a small
 * request.
 */
export function firstThatHolds(name: string, cases: readonly FilterCase[]): EnvoyConfig {
  const matchers = cases.map(({ predicate, filters }) => ({
    predicate,
    on_match: {
      action: extension('run', 'extensions.filters.http.composite.v3.ExecuteFilterAction', {
        filter_chain: { typed_config: filters },
      }),
    },
  }));
  return extension(name, 'extensions.common.matching.v3.ExtensionWithMatcher', {
    xds_matcher: { matcher_list: { matchers } },
    extension_config: extension('envoy.filters.http.composite', 'extensions.filters.http.composite.v3.Composite'),
  });
}
