import type { Wire } from './endpoint.js';
import type { JsonObject } from './json-value.js';

/** A small change to requests of one wire without which a vendor refuses them: conversations move between providers. */
export interface RequestMend {
  readonly wire: Wire;
  /** A cheap look at the bytes: false = certainly nothing to mend, and the request goes on as it is. */
  suspects(body: Buffer): boolean;
  /** The same object when there was nothing to mend after all. */
  mend(body: JsonObject): JsonObject;
}
