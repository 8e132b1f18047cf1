import { isObject, type JsonObject, parseJson } from '../../json-value.js';
import { FreeText } from './free-text.js';
import type { ItemPlace, ItemStatus, OpenItem } from './item.js';
import type { DeclaredTool, ToolKind } from './tool-table.js';

/** A call on its way to the client, in the form in which its tool was declared. */
export interface CallItem extends OpenItem {
  /** A piece of the function's arguments. */
  push(piece: string): void;
}

interface CallParts {
  readonly place: ItemPlace;
  readonly callId: string;
  readonly tool: DeclaredTool;
}

const ITEMS: Readonly<Record<ToolKind, (parts: CallParts) => CallItem>> = {
  function: (parts) => new FunctionCallItem(parts),
  custom: (parts) => new CustomCallItem(parts),
  tool_search: (parts) => new SearchCallItem(parts),
};

export function openCallItem(parts: CallParts): CallItem {
  return ITEMS[parts.tool.kind](parts);
}

/** Beginning of the id of its item. */
export const CALL_PREFIXES: Readonly<Record<ToolKind, string>> = { function: 'fc', custom: 'ctc', tool_search: 'tsc' };

abstract class Call implements CallItem {
  protected readonly place: ItemPlace;
  protected readonly named: JsonObject;
  protected json = '';

  constructor({ place, callId, tool }: CallParts) {
    this.place = place;
    const namespace = tool.namespace === null ? {} : { namespace: tool.namespace };
    this.named = { call_id: callId, name: tool.name, ...namespace };
  }

  push(piece: string): void {
    if (piece === '') return;
    this.json += piece;
    this.grow(piece);
  }

  close(status: ItemStatus): JsonObject {
    if (this.json === '' && status === 'completed') {
      // Clients parse what they get: no arguments are an empty object.
      this.json = '{}';
      this.grow('{}');
    }
    this.finish();
    return this.place.done(this.snapshot(status));
  }

  /** The item as it stands; `in_progress` for its first event. */
  abstract snapshot(status: ItemStatus | 'in_progress'): JsonObject;
  protected abstract grow(piece: string): void;
  protected abstract finish(): void;
}

class FunctionCallItem extends Call {
  constructor(parts: CallParts) {
    super(parts);
    this.place.added(this.snapshot('in_progress'));
  }

  snapshot(status: ItemStatus | 'in_progress'): JsonObject {
    return { id: this.place.id, type: 'function_call', status, arguments: this.json, ...this.named };
  }

  protected grow(piece: string): void {
    this.place.inside('response.function_call_arguments.delta', { delta: piece });
  }

  protected finish(): void {
    const { name } = this.named;
    this.place.inside('response.function_call_arguments.done', { name, arguments: this.json });
  }
}

/** A function's one argument is the text. */
class CustomCallItem extends Call {
  readonly #text = new FreeText();

  constructor(parts: CallParts) {
    super(parts);
    this.place.added(this.snapshot());
  }

  snapshot(): JsonObject {
    return { id: this.place.id, type: 'custom_tool_call', input: this.#text.text, ...this.named };
  }

  protected grow(piece: string): void {
    this.#tell(this.#text.push(piece));
  }

  protected finish(): void {
    this.#tell(this.#text.end());
    this.place.inside('response.custom_tool_call_input.done', { input: this.#text.text });
  }

  #tell(delta: string): void {
    if (delta !== '') this.place.inside('response.custom_tool_call_input.delta', { delta });
  }
}

/** It has no events between the first and the last. */
class SearchCallItem extends Call {
  constructor(parts: CallParts) {
    super(parts);
    this.place.added(this.snapshot('in_progress'));
  }

  snapshot(status: ItemStatus | 'in_progress'): JsonObject {
    const { call_id } = this.named;
    const parsed = parseJson(this.json);
    const found = isObject(parsed) ? parsed : {};
    return { id: this.place.id, type: 'tool_search_call', status, call_id, execution: 'client', arguments: found };
  }

  protected grow(): void {}
  protected finish(): void {}
}
