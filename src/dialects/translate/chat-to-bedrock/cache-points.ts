import type { BedrockModel } from '../../bedrock/model.js';
import { isObject, type JsonObject, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import type { Losses } from '../losses.js';

/** Bedrock refuses more in one request. */
const MOST = 4;

/** Turns `cache_control` into the cache points that follow what they cache. */
export class CachePoints {
  readonly #model: BedrockModel;
  readonly #losses: Losses;
  #count = 0;

  constructor(model: BedrockModel, losses: Losses) {
    this.#model = model;
    this.#losses = losses;
  }

  /** The block to put behind `carrier`'s own, or none. */
  after(carrier: unknown, place: 'messages' | 'tools'): readonly JsonObject[] {
    const control = isObject(carrier) ? carrier[CACHE_CONTROL] : null;
    if (!isObject(control)) return [];
    if (!this.#model.caches.has(place) || this.#count === MOST) {
      this.#losses.drop(CACHE_CONTROL);
      return [];
    }
    this.#count += 1;
    const ttl = stringIn(control, 'ttl');
    return [{ cachePoint: { type: 'default', ...(ttl === '5m' || ttl === '1h' ? { ttl } : {}) } }];
  }
}
