import type { Database } from './database.js';

/**
 * SQL of one label in a column of labels, `?` its name; null without it. SQLite's `->>` reads a name as a path, which a quotation
 * mark in it breaks.
 */
export function labelOf(column: string, kind: Database['kind']): string {
  if (kind === 'postgres') return `${column} ->> cast(? as text)`;
  return `(select label.value from json_each(${column}) label where label.key = ?)`;
}
