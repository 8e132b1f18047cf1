/** One sample of Prometheus's text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads Prometheus text format 0.0.4; throws on a line that is none of it. */
export function parseExposition(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || /^# (?:HELP|TYPE) [a-z_:][\w:]* /i.test(line)) continue;
    const [, name, labels = '', value] = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not a sample: ${line}`);
    const pairs = [...labels.matchAll(/([a-z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gi)];
    if (pairs.map((pair) => pair[0]).join('') !== labels) throw new Error(`labels of: ${line}`);
    const number = Number(value === '+Inf' ? Number.POSITIVE_INFINITY : value);
    samples.push({ name, labels: Object.fromEntries(pairs.map(([, key, text_]) => [key, text_])), value: number });
  }
  return samples;
}
