import { SPENDING_SCRIPT } from './page-spending.js';

/** Script of the page at `/`: reads the API as any other client would, and puts text (never markup) into the page. */
export const PAGE_SCRIPT = `
const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const rows = [];
let refreshing = null;

const token = () => sessionStorage.getItem('tollgate-token') ?? '';
/** Cents, and as many more digits as make a small amount readable. */
const dollars = (nano) => {
  if (nano === null || nano === undefined) return '–';
  const amount = nano / 1e9;
  const digits = amount === 0 || amount >= 1 ? 2 : Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(amount))));
  return '$' + amount.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: digits });
};
const tokens = (usage, ...names) => names.reduce((sum, name) => sum + (usage?.[name] ?? 0), 0);
const inputOf = (usage) => tokens(usage, 'input', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'input_audio', 'input_image');
const outputOf = (usage) => tokens(usage, 'output', 'reasoning', 'output_audio');

async function ask(path) {
  const headers = token() === '' ? {} : { authorization: 'Bearer ' + token() };
  const response = await fetch(path, { headers });
  if (response.status === 401) {
    element('token-form').hidden = false;
    throw new Error('These figures need the admin token (admin.token in the configuration).');
  }
  if (!response.ok) throw new Error(path + ' answered ' + response.status);
  element('token-form').hidden = true;
  return response;
}

function row(cells) {
  const line = document.createElement('tr');
  for (const [text, kind] of cells) {
    const cell = document.createElement('td');
    cell.textContent = text;
    if (kind) cell.className = kind;
    line.append(cell);
  }
  return line;
}

function fill(id, lines, columns, empty) {
  if (lines.length === 0) {
    const line = row([[empty, 'empty']]);
    line.firstChild.colSpan = columns;
    lines = [line];
  }
  element(id).replaceChildren(...lines);
}

function showUsage(data) {
  const sum = (read) => data.reduce((total, entry) => total + read(entry), 0);
  element('requests').textContent = number.format(sum((entry) => entry.requests));
  element('errors').textContent = number.format(sum((entry) => entry.errors));
  element('tokens').textContent = number.format(sum((entry) => inputOf(entry.usage) + outputOf(entry.usage)));
  element('cost').textContent = dollars(sum((entry) => entry.cost_nano_usd ?? 0));
  const lines = [...data].sort((a, b) => b.requests - a.requests).slice(0, 20).map((entry) => row([
    [entry.model ?? '–'],
    [number.format(entry.requests), 'n'],
    [number.format(entry.errors), entry.errors > 0 ? 'n bad' : 'n'],
    [number.format(inputOf(entry.usage)), 'n'],
    [number.format(outputOf(entry.usage)), 'n'],
    [entry.cost_nano_usd === null ? 'unknown' : dollars(entry.cost_nano_usd), 'n'],
  ]));
  fill('models', lines, 6, 'No requests in this time.');
}

function bar(ratio) {
  const cell = document.createElement('td');
  const meter = document.createElement('meter');
  meter.max = 1;
  meter.high = 0.8;
  meter.optimum = 0;
  meter.value = Math.min(1, ratio);
  meter.textContent = Math.round(ratio * 100) + ' %';
  meter.title = meter.textContent;
  cell.append(meter);
  return cell;
}

function showLimits(data) {
  data = data.filter((entry) => entry.ratio > 0);
  element('limits-part').hidden = data.length === 0;
  const amount = (entry, value) => (entry.of === 'cost' ? dollars(value) : number.format(value));
  element('limits').replaceChildren(...data.map((entry) => {
    const line = row([
      [entry.limit + (entry.action === 'reject' ? '' : ' (' + entry.action + ')')],
      [entry.of.replace('_', ' ')],
      [Object.values(entry.partition).map((value) => value || '–').join(', ') || 'all'],
      [amount(entry, entry.used), entry.ratio >= 1 && entry.action === 'reject' ? 'n bad' : 'n'],
      [amount(entry, entry.held), 'n'],
      [amount(entry, entry.max), 'n'],
      [entry.resets_at === null ? '–' : new Date(entry.resets_at).toLocaleString()],
    ]);
    line.insertBefore(bar(entry.ratio), line.children[3]);
    return line;
  }));
}

const age = (ms) => (ms < 120000 ? Math.round(ms / 1000) + ' s' : ms < 7200000 ? Math.round(ms / 60000) + ' min' : Math.round(ms / HOUR) + ' h');

function showDeliveries(exporters, alerts, config) {
  const lines = exporters.map((entry) => row([
    [entry.name + ' (' + entry.kind + ')'],
    [number.format(entry.entries_behind), 'n'],
    [entry.entries_behind === 0 ? '–' : age(entry.oldest_unsent_ms), 'n'],
    [number.format(entry.sent), 'n'],
    [number.format(entry.rejected), entry.rejected > 0 ? 'n bad' : 'n'],
    [entry.last_error ?? '–', entry.last_error ? 'bad wrap' : ''],
  ]));
  if (config.alerts || alerts.waiting + alerts.lost > 0) lines.push(row([
    ['alerts'],
    [number.format(alerts.waiting), 'n'],
    [alerts.waiting === 0 ? '–' : age(alerts.oldest_ms), 'n'],
    ['–', 'n'],
    [number.format(alerts.lost), alerts.lost > 0 ? 'n bad' : 'n'],
    [alerts.last_error ?? '–', alerts.last_error ? 'bad wrap' : ''],
  ]));
  element('deliveries-part').hidden = lines.length === 0;
  element('deliveries').replaceChildren(...lines);
}

function showRows() {
  const lines = rows.map((entry) => row([
    [new Date(entry.time).toLocaleTimeString()],
    [entry.key],
    [entry.model],
    [entry.target ?? entry.code ?? '–'],
    [String(entry.status), entry.status >= 400 ? 'n bad' : 'n'],
    [number.format(Math.round(entry.ms)) + ' ms', 'n'],
    [number.format(inputOf(entry.usage) + outputOf(entry.usage)), 'n'],
    [dollars(entry.cost_nano_usd), 'n'],
  ]));
  fill('last', lines, 8, 'No requests yet. Send one to the gateway and it appears here.');
}

async function refresh() {
  const status = await (await ask('/api/v1/status')).json();
  const ready = status.reasons.length === 0;
  const troubles = [...status.reasons, ...status.degraded];
  element('state').textContent = (ready ? 'ready' : 'not ready') + (troubles.length === 0 ? '' : ': ' + troubles.join('; '));
  element('state').className = ready ? 'good' : 'bad';
  element('gateway').textContent = 'Apps use ' + status.gateway_url + ' · configuration ' + status.snapshot;
  const read = async (path) => (await ask(path)).json();
  showLimits((await read('/api/v1/limits?limit=20')).data);
  const [exporters, alerts, config] = await Promise.all(['exporters', 'alerts', 'config'].map((name) => read('/api/v1/' + name)));
  showDeliveries(exporters.data, alerts, config);
  await showSpending();
}

function add(entry) {
  if (rows.some((known) => known.id === entry.id)) return;
  rows.unshift(entry);
  rows.length = Math.min(rows.length, 20);
  showRows();
  refreshing ??= setTimeout(() => { refreshing = null; refresh().catch(show); }, 1000);
}

async function follow() {
  const response = await ask('/api/v1/events');
  const page = (await (await ask('/api/v1/requests?limit=20')).json()).data;
  rows.splice(0, rows.length, ...page);
  showRows();
  element('live').textContent = 'live';
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\\n\\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split('\\n').find((line) => line.startsWith('data: '));
      if (data) add(JSON.parse(data.slice(6)));
    }
  }
}

function show(error) {
  element('problem').textContent = error.message;
  element('problem').hidden = false;
}

async function run() {
  for (;;) {
    let wait = 1000;
    try {
      await refresh();
      element('problem').hidden = true;
      await follow();
    } catch (error) {
      show(error);
      if (!element('token-form').hidden) return;
      wait = 3000;
    }
    element('live').textContent = 'connecting again';
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

${SPENDING_SCRIPT}
element('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('tollgate-token', element('token').value);
  run();
});
run();
`;
