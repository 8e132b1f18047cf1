/** Part of the page's script: the period, spending by the hour or day, the dearest keys. Uses what `page-script.ts` defines. */
export const SPENDING_SCRIPT = `
const HOUR = 3600000;
const PERIODS = {
  hours: { step: HOUR, count: 24, name: (start) => new Date(start).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) },
  days: { step: 24 * HOUR, count: 14, name: (start) => new Date(start).toISOString().slice(5, 10) },
};
let period = PERIODS.hours;
/** Sums of spans that have ended, by their start: they are asked for once. */
const ended = new Map();

const iso = (time) => new Date(time).toISOString();
const sumOf = (data, read) => data.reduce((total, entry) => total + read(entry), 0);
const costOf = (data) => sumOf(data, (entry) => entry.cost_nano_usd ?? 0);
const firstStart = () => (Math.floor(Date.now() / period.step) - period.count + 1) * period.step;

async function usage(by, from, to) {
  const until = to === undefined ? '' : '&to=' + iso(to);
  return (await (await ask('/api/v1/usage?by=' + by + '&from=' + iso(from) + until)).json()).data;
}

/** A request counts where it arrived: a span is final only when the longest request that began in it has ended. */
async function spent(start, step) {
  const known = ended.get(step + ' ' + start);
  if (known) return known;
  const data = await usage('model', start, start + step);
  const bar = { start, cost: costOf(data), requests: sumOf(data, (entry) => entry.requests), unpriced: sumOf(data, (entry) => entry.unpriced_requests) };
  if (start + step + HOUR + 120000 < Date.now()) ended.set(step + ' ' + start, bar);
  return bar;
}

function svg(name, attributes, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function showChart(bars, name) {
  const most = Math.max(...bars.map((bar) => bar.cost), 1);
  element('chart').setAttribute('viewBox', '0 0 ' + bars.length * 10 + ' 100');
  element('chart').replaceChildren(...bars.map((bar, at) => {
    const height = bar.cost === 0 ? (bar.requests > 0 ? 1.5 : 0) : Math.max(1.5, (bar.cost / most) * 100);
    const group = svg('g', {});
    const unpriced = bar.unpriced > 0 ? ', ' + number.format(bar.unpriced) + ' without a price' : '';
    group.append(
      svg('title', {}, name(bar.start) + ': ' + dollars(bar.cost) + ', ' + number.format(bar.requests) + ' requests' + unpriced),
      svg('rect', { x: at * 10, y: 0, width: 10, height: 100, class: 'room' }),
      svg('rect', { x: at * 10 + 1, y: 100 - height, width: 8, height, class: 'spent' }),
    );
    return group;
  }));
  const total = bars.reduce((sum, bar) => sum + bar.cost, 0);
  element('chart').setAttribute('aria-label', 'Spending: ' + dollars(total) + ' in all, at most ' + dollars(most));
  element('chart-most').textContent = total === 0 ? '' : dollars(most);
  element('chart-from').textContent = name(bars[0].start);
  element('chart-to').textContent = period === PERIODS.hours ? 'now' : 'today (UTC)';
}

function showKeys(data) {
  const lines = [...data].sort((a, b) => (b.cost_nano_usd ?? 0) - (a.cost_nano_usd ?? 0) || b.requests - a.requests).slice(0, 10).map((entry) => row([
    [entry.key || '–'],
    [number.format(entry.requests), 'n'],
    [number.format(entry.errors), entry.errors > 0 ? 'n bad' : 'n'],
    [number.format(inputOf(entry.usage) + outputOf(entry.usage)), 'n'],
    [entry.cost_nano_usd === null ? 'unknown' : dollars(entry.cost_nano_usd), 'n'],
  ]));
  fill('keys', lines, 5, 'No requests in this time.');
}

async function showSpending() {
  const shown = period;
  const from = firstStart();
  const starts = Array.from({ length: shown.count }, (_, at) => from + at * shown.step);
  const [models, keys, ...bars] = await Promise.all([
    usage('model', from), usage('key', from), ...starts.map((start) => spent(start, shown.step)),
  ]);
  if (shown !== period) return;
  showUsage(models);
  showKeys(keys);
  showChart(bars, shown.name);
}

for (const [name, chosen] of Object.entries(PERIODS)) {
  element(name).addEventListener('click', () => {
    period = chosen;
    for (const other of Object.keys(PERIODS)) element(other).setAttribute('aria-pressed', String(other === name));
    showSpending().catch(show);
  });
}
`;
