import type { Wire } from '../endpoint.js';
import type { JsonObject } from '../json-value.js';
import type { EventSink } from './translation.js';

/** Writes events as the client's dialect frames them; what was written is taken piece by piece. */
export interface ClientFraming extends EventSink {
  readonly contentType: string;
  /** What was written since the last call; empty when nothing was. */
  take(): string;
  /** The last bytes, where the framing has an end of its own. */
  close(): void;
}

/** @param array Google's stream without `alt=sse`: one JSON array */
export function createClientFraming(wire: Wire, array: boolean): ClientFraming {
  if (wire === 'gemini-generate') return array ? new ArrayFraming() : new DataFraming('\r\n\r\n', false);
  const named = wire === 'anthropic-messages' || wire === 'openai-responses';
  return named ? new NamedFraming() : new DataFraming('\n\n', true);
}

abstract class Written {
  readonly contentType: string = 'text/event-stream; charset=utf-8';
  protected text = '';

  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  close(): void {}
}

/** `data:` alone. */
class DataFraming extends Written implements ClientFraming {
  readonly #end: string;
  readonly #hasDone: boolean;

  constructor(end: string, hasDone: boolean) {
    super();
    this.#end = end;
    this.#hasDone = hasDone;
  }

  event(_type: string, data: JsonObject): void {
    this.text += `data: ${JSON.stringify(data)}${this.#end}`;
  }

  done(): void {
    if (this.#hasDone) this.text += `data: [DONE]${this.#end}`;
  }
}

/** `event:` and `data:`; clients of these dialects pass over events without a name. */
class NamedFraming extends Written implements ClientFraming {
  event(type: string, data: JsonObject): void {
    this.text += `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  done(): void {}
}

class ArrayFraming extends Written implements ClientFraming {
  override readonly contentType = 'application/json; charset=UTF-8';
  #begun = false;

  event(_type: string, data: JsonObject): void {
    this.text += `${this.#begun ? ',\r\n' : '['}${JSON.stringify(data)}`;
    this.#begun = true;
  }

  done(): void {}

  override close(): void {
    this.text += this.#begun ? '\r\n]' : '[]';
  }
}
