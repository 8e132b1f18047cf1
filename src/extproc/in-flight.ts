import type { Exchange } from '../gateway/exchange.js';
import { LiveMap } from '../store/live-map.js';

/** Requests whose decision was made and whose answer is not finished, by request id: attempts find theirs here. */
export class InFlight {
  readonly #byId = LiveMap.byText<Exchange>();

  add(id: string, exchange: Exchange): void {
    this.#byId.set(id, exchange);
  }

  find(id: string): Exchange | undefined {
    return this.#byId.get(id);
  }

  remove(id: string, exchange: Exchange): void {
    if (this.#byId.get(id) === exchange) this.#byId.delete(id);
  }

  get size(): number {
    return this.#byId.size;
  }
}
