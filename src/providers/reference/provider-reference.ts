import type { Wire } from '../../dialects/endpoint.js';
import { allTranslations } from '../../dialects/translate/registry.js';
import type { Translation } from '../../dialects/translate/translation.js';
import { chooseWire } from '../choose-wire.js';
import type { ProviderKind } from '../kind.js';
import { PROVIDER_KINDS } from '../registry.js';
import { FEATURES, type FeatureFates, featureFates, keepsSignatures } from './features.js';
import { NOTES, SHORT_NAMES, VARIANTS } from './notes.js';
import { type Finding, modelsOf, probeTranslation } from './probe-translation.js';
import { DIALECTS } from './probes.js';

/** `docs/providers.md`: every kind, who serves what in which dialect, and what each translation loses, found by asking the code. */
export function providerReference(): string {
  const kinds = [...PROVIDER_KINDS.values()];
  const pairs = allTranslations().filter((pair) => pair.from !== pair.to && DIALECTS.has(pair.from));
  return `${[
    NOTES.introduction,
    table(['kind', 'who', 'default `base_url`', 'found by', 'credential', 'prices'], kinds.map(kindRow)),
    NOTES.kinds,
    NOTES.matrix,
    table(['kind', ...COLUMNS.map(([title]) => title)], kinds.flatMap(matrixRows)),
    NOTES.afterMatrix,
    NOTES.features,
    featureTable(pairs.filter(({ to }) => GENERATES.has(to))),
    NOTES.losses,
    ...pairs.map(lossSection),
  ].join('\n\n')}\n`;
}

/** Client endpoints in the order of the matrix; wires that two endpoints share stand once. */
export const COLUMNS: readonly (readonly [title: string, wire: Wire])[] = [
  ['chat', 'openai-chat'],
  ['responses', 'openai-responses'],
  ['messages', 'anthropic-messages'],
  ['generateContent', 'gemini-generate'],
  ['completions', 'openai-completions'],
  ['embeddings', 'openai-embeddings'],
  ['rerank', 'rerank'],
  ['images', 'openai-images'],
  ['speech', 'openai-speech'],
  ['transcription', 'openai-transcription'],
  ['moderations', 'openai-moderations'],
  ['count_tokens', 'anthropic-count-tokens'],
  ['countTokens', 'gemini-count-tokens'],
];
const GENERATES: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'anthropic-messages',
  'gemini-generate',
  'bedrock-converse',
]);

function kindRow(kind: ProviderKind): readonly string[] {
  return [
    `\`${kind.kind}\``,
    kind.title,
    kind.baseUrl === null ? (NO_ADDRESS[kind.kind] ?? '– (set it)') : `\`${kind.baseUrl}\``,
    // Without an address a key alone turns nothing on.
    kind.baseUrl === null ? '–' : kind.environment.map((name) => `\`${name}\``).join(', ') || '–',
    credentialOf(kind),
    kind.priceId ?? '–',
  ];
}

const NO_ADDRESS: Readonly<Record<string, string>> = { mock: 'built in' };

const IDENTITIES = { aws: 'a signature of AWS', azure: 'a token of Entra', google: 'a token of Google' } as const;

function credentialOf(kind: ProviderKind): string {
  const { credential, identity, needs = [] } = kind;
  const place = needs.length === 0 ? '' : `; needs ${needs.map((name) => `\`${name}\``).join(' and ')}`;
  if (credential === null) return `none${place}`;
  const sent = credential.header === 'authorization' ? 'Bearer' : `\`${credential.header}\``;
  if (identity !== undefined) return `${sent}, or ${IDENTITIES[identity]}${place}`;
  return kind.environment.length === 0 ? `none, or ${sent}${place}` : sent + place;
}

function matrixRows(kind: ProviderKind): readonly (readonly string[])[] {
  const variants = VARIANTS.get(kind.kind) ?? [['', 'a-model'] as const];
  return variants.map(([title, model]) => [
    title === '' ? `\`${kind.kind}\`` : `\`${kind.kind}\`, ${title}`,
    ...COLUMNS.map(([, wire]) => cellOf(kind, wire, model)),
  ]);
}

function cellOf(kind: ProviderKind, wire: Wire, model: string): string {
  const chosen = chooseWire(kind, wire, model);
  if (chosen === null) return '–';
  return chosen.wire === wire ? 'native' : (SHORT_NAMES[chosen.wire] ?? chosen.wire);
}

function nameOf({ from, to }: Translation): string {
  return `${SHORT_NAMES[from] ?? from} → ${SHORT_NAMES[to] ?? to}`;
}

function featureTable(pairs: readonly Translation[]): string {
  const rows = FEATURES.map((feature) => [feature.title, ...pairs.map((pair) => mark(featureFates(pair, feature)))]);
  const signatures = pairs.map((pair) => {
    const kept = keepsSignatures(pair);
    return kept === null ? '–' : kept ? '✓' : 'lost';
  });
  return table(['', ...pairs.map(nameOf)], [...rows, ['signatures of thoughts kept', ...signatures]]);
}

const MARKS = { carried: '✓', silent: '✓', dropped: 'warned', refused: '400' } as const;

function mark(fates: FeatureFates): string {
  if (fates === null) return '–';
  return [...new Set(fates.map((fate) => MARKS[fate]))].join(' / ');
}

function lossSection(pair: Translation): string {
  const findings = probeTranslation(pair);
  const lines = (['dropped', 'refused'] as const).map((fate) => {
    return `- ${LABELS[fate]}: ${fieldsOf(findings, fate, modelsOf(pair.to).length)}`;
  });
  return [`### ${nameOf(pair)}`, lines.join('\n')].join('\n\n');
}

const LABELS = { dropped: 'left out with a warning', refused: 'refused with 400' } as const;

/** Fields in the order of the probes, each with the models where not all agree. */
function fieldsOf(findings: readonly Finding[], fate: Finding['fate'], models: number): string {
  const byField = new Map<string, string[]>();
  for (const finding of findings) {
    if (finding.fate !== fate) continue;
    const { field, names } = finding;
    const told = names.every((name) => name === field) ? '' : ` (as ${names.map((name) => `\`${name}\``).join(', ')})`;
    const entry = `\`${field}\`${told}`;
    byField.set(entry, [...(byField.get(entry) ?? []), finding.model]);
  }
  if (byField.size === 0) return 'nothing that is known';
  return [...byField].map(([entry, at]) => (at.length === models ? entry : `${entry} [${at.join(', ')}]`)).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
