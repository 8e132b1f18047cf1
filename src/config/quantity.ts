const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Milliseconds of `100ms`, `10s`, `1.5h`, `1h30m`, `90d`, `0`; a day is 24 hours; null when the text is no duration. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : null;
}

/** The shortest exact writing: 90000 → `90s`, 300000 → `5m`, 0 → `0`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (milliseconds % MILLISECONDS[unit] === 0) return `${milliseconds / MILLISECONDS[unit]}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** Bytes of `32MiB`, `10MB`, `512KiB`, `1024` or `1024B`; null when the text is no size. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text);
  const factor = match === null ? undefined : BYTES[match[2] === '' ? 'B' : (match[2] ?? '')];
  if (factor === undefined) return null;
  const bytes = Number(match?.[1]) * factor;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest exact writing: 33554432 → `32MiB`, 1000 → `1000B`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const factor = BYTES[unit] ?? 1;
    if (bytes > 0 && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

/** 0.2 of `20%`, up to 10 for `1000%`; null when the text is no percentage. */
export function parseShare(text: string): number | null {
  const match = /^(\d{1,4}(?:\.\d{1,3})?)%$/.exec(text);
  const share = match === null ? null : Number(match[1]) / 100;
  return share !== null && share <= 10 ? share : null;
}

/** 0.2 → `20%`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`;
}
