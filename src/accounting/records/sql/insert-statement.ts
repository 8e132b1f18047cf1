import type { Upsert } from './database.js';

/** `insert into … <source> on conflict …`; the source is a `values` list or a `select`. */
export function insertStatement(upsert: Upsert, source: string): string {
  const names = upsert.columns.map((column) => column.name).join(', ');
  const action = upsert.update === null ? 'do nothing' : `do update set ${upsert.update}`;
  return `insert into ${upsert.table} (${names}) ${source} on conflict (${upsert.key.join(', ')}) ${action}`;
}
