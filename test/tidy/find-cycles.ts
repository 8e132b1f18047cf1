/** Cycles of a directed graph, each once, as `a → b → a` beginning with its smallest name. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const cycles = new Set<string>();
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (node: string): void => {
    const start = path.indexOf(node);
    if (start >= 0) {
      cycles.add(describeCycle(path.slice(start)));
      return;
    }
    if (done.has(node)) return;
    path.push(node);
    for (const next of edges.get(node) ?? []) walk(next);
    path.pop();
    done.add(node);
  };
  for (const node of edges.keys()) walk(node);
  return [...cycles].sort();
}

function describeCycle(nodes: readonly string[]): string {
  const smallest = nodes.indexOf([...nodes].sort()[0] ?? '');
  const turned = [...nodes.slice(smallest), ...nodes.slice(0, smallest)];
  return [...turned, turned[0]].join(' → ');
}
