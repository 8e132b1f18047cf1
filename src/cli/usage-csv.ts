import { USAGE_CLASSES } from '../dialects/usage.js';
import { csvLine, dollars, type UsageView } from './usage-figures.js';

/** One line a group with every token class and the cost in dollars; an unknown cost is empty. */
export function usageCsv({ rows, by }: UsageView): string {
  const head = [...by, 'requests', 'errors', ...USAGE_CLASSES.map(columnName), 'cost_usd', 'estimated_requests'];
  const lines = rows.map((row) => {
    const names = by.map((name) => String(row[name] ?? ''));
    const tokens = USAGE_CLASSES.map((name) => row.usage[name] ?? 0);
    const cost = row.cost_nano_usd === null ? '' : dollars(row.cost_nano_usd);
    return csvLine([...names, row.requests, row.errors, ...tokens, cost, row.estimated_requests]);
  });
  return [csvLine(head), ...lines].join('');
}

/** `requests` is a count of its own already. */
function columnName(name: string): string {
  return name === 'requests' ? 'units' : name;
}
