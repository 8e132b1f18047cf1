/** How a client of Responses declared a tool, and so how it wants to be called. */
export interface DeclaredTool {
  readonly kind: ToolKind;
  readonly name: string;
  /** The namespace that it was declared in. */
  readonly namespace: string | null;
}

/** `custom` tools take free text, `tool_search` finds more tools in the client; chat providers know functions only. */
export type ToolKind = 'function' | 'custom' | 'tool_search';

const LONGEST_NAME = 64;

/**
 * Every tool of a request as one flat list of functions, and back. The same request always gives the same names, so earlier calls
 * in the input fit the tools again.
 */
export class ToolTable {
  readonly #tools = new Map<string, DeclaredTool>();
  readonly #names = new Map<string, string>();

  /** The name of the function; null when the tool was declared before, as tools that were found by a search are in every turn. */
  add(tool: DeclaredTool): string | null {
    if (this.#names.has(keyOf(tool.name, tool.namespace))) return null;
    return this.#enter(tool);
  }

  /** The function's name for an earlier call, whether its tool is still declared or not. */
  functionName(name: string, namespace: string | null): string {
    return this.#names.get(keyOf(name, namespace)) ?? this.#enter({ kind: 'function', name, namespace });
  }

  /** What the client declared, by the names of the functions; grows with it. */
  get tools(): ReadonlyMap<string, DeclaredTool> {
    return this.#tools;
  }

  #enter(tool: DeclaredTool): string {
    const name = this.#free(flatName(tool));
    this.#tools.set(name, tool);
    this.#names.set(keyOf(tool.name, tool.namespace), name);
    return name;
  }

  #free(wanted: string): string {
    if (wanted.length <= LONGEST_NAME && !this.#tools.has(wanted)) return wanted;
    for (let number = this.#tools.size; ; number += 1) {
      const ending = `_${number}`;
      const name = wanted.slice(0, LONGEST_NAME - ending.length) + ending;
      if (!this.#tools.has(name)) return name;
    }
  }
}

/** What the client declared; models sometimes call what nobody declared. */
export function declaredTool(tools: ReadonlyMap<string, DeclaredTool>, functionName: string): DeclaredTool {
  return tools.get(functionName) ?? { kind: 'function', name: functionName, namespace: null };
}

function keyOf(name: string, namespace: string | null): string {
  return JSON.stringify([namespace, name]);
}

function flatName({ name, namespace }: DeclaredTool): string {
  if (namespace === null) return name;
  return namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`;
}
