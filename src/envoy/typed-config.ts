/** A piece of Envoy configuration in proto3 JSON form. */
export type EnvoyConfig = Readonly<Record<string, unknown>>;

/** An Any: `type` is the message's full name below `envoy.`, such as `config.cluster.v3.Cluster`. */
export function typed(type: string, body: EnvoyConfig = {}): EnvoyConfig {
  return { '@type': `type.googleapis.com/envoy.${type}`, ...body };
}

/** A named extension with its typed configuration. */
export function extension(name: string, type: string, body: EnvoyConfig = {}): EnvoyConfig {
  return { name, typed_config: typed(type, body) };
}

/** Milliseconds as a proto3 JSON duration: 1500 → `1.5s`. */
export function duration(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
