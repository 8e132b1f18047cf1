const LEVEL_COLOURS: Readonly<Record<string, string>> = {
  trace: '90',
  debug: '90',
  info: '36',
  warn: '33',
  error: '31',
  fatal: '35',
};
/** Fields of the request line that its first words already say. */
const SAID_BEFORE = new Set([
  'level',
  'time',
  'msg',
  'endpoint',
  'status',
  'ms',
  'model',
  'target',
  'cost_nano_usd',
  'snapshot',
]);

/** Makes one readable line from one JSON line of the log. What is not JSON stays as it is. */
export function prettyLine(json: string): string {
  let line: unknown;
  try {
    line = JSON.parse(json);
  } catch {
    return json;
  }
  if (typeof line !== 'object' || line === null) return json;
  const fields: Readonly<Record<string, unknown>> = { ...line };
  const level = String(fields['level'] ?? 'info');
  const isRequest = fields['msg'] === 'request';
  const rest = Object.entries(fields).filter(
    ([name]) => !(isRequest ? SAID_BEFORE : new Set(['level', 'time', 'msg'])).has(name),
  );
  const words = [
    paint('90', String(fields['time'] ?? '').slice(11, 23)),
    paint(LEVEL_COLOURS[level] ?? '0', level.toUpperCase().padEnd(5)),
    isRequest ? requestWords(fields) : String(fields['msg'] ?? ''),
    ...rest.map(([name, value]) => `${paint('90', `${name}=`)}${String(value)}`),
  ];
  return `${words.join(' ')}\n`;
}

function requestWords(fields: Readonly<Record<string, unknown>>): string {
  const status = Number(fields['status']);
  const colour = status >= 500 ? '31' : status >= 400 ? '33' : '32';
  const model = fields['model'] === undefined ? '' : ` ${String(fields['model'])}`;
  const served =
    fields['target'] === undefined || fields['target'] === fields['model'] ? '' : ` → ${String(fields['target'])}`;
  const cost = typeof fields['cost_nano_usd'] === 'number' ? ` $${(fields['cost_nano_usd'] / 1e9).toFixed(6)}` : '';
  return `${paint(colour, String(status))} ${String(fields['endpoint'])}${model}${served} ${Math.round(Number(fields['ms']))} ms${cost}`;
}

function paint(colour: string, text: string): string {
  return `\u001b[${colour}m${text}\u001b[0m`;
}
