import type { LimitWindow } from './limit-rules.js';
import { shown } from './problem.js';
import { formatDuration, parseDuration } from './quantity.js';
import { didYouMean } from './suggest.js';

const UNITS = ['minute', 'hour', 'day', 'week', 'month'] as const;
const SHORTEST = 1000;
const WANTED = `${UNITS.join(', ')}, total, or a duration of at least 1s, such as 1m or 24h`;

export function parseWindow(text: string): { readonly value: LimitWindow } | { readonly problem: string } {
  if (text === 'total') return { value: { kind: 'total' } };
  const unit = UNITS.find((unit) => unit === text);
  if (unit !== undefined) return { value: { kind: 'calendar', unit } };
  const ms = parseDuration(text);
  if (ms !== null && ms >= SHORTEST) return { value: { kind: 'duration', ms } };
  const suggestion = /^[a-z]{3,}$/i.test(text) ? didYouMean(text, [...UNITS, 'total']) : '';
  return { problem: suggestion === '' ? `must be ${WANTED}` : `unknown window ${shown(text)}${suggestion}` };
}

export function formatWindow(window: LimitWindow): string {
  if (window.kind === 'duration') return formatDuration(window.ms);
  return window.kind === 'calendar' ? window.unit : 'total';
}
