import { USAGE_CLASSES } from '../../dialects/usage.js';
import { csvLine } from './csv-line.js';
import { costText, type UsageView } from './usage-figures.js';

/**
 * One line a group with every token class and the cost in dollars of what could be priced. The cost is empty when nothing
 * could; `unpriced_requests` says how many it leaves out.
 */
export function usageCsv({ rows, by }: Pick<UsageView, 'rows' | 'by'>): string {
  const head = [...by, 'requests', 'errors', ...USAGE_CLASSES, 'cost_usd', 'unpriced_requests', 'estimated_requests'];
  const lines = rows.map((row) => {
    const names = by.map((name) => String(row[name] ?? ''));
    const counts = USAGE_CLASSES.map((name) => row.usage[name] ?? 0);
    const cost = [costText(row) ?? '', row.unpriced_requests, row.estimated_requests];
    return csvLine([...names, row.requests, row.errors, ...counts, ...cost]);
  });
  return [csvLine(head), ...lines].join('');
}
