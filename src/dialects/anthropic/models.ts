export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** What a Claude model takes, as far as a translated request depends on it. */
export interface ClaudeModel {
  /** `opus`, `sonnet`, `haiku`, `fable`, `mythos`; null when the name is not one of Claude's. */
  readonly family: string | null;
  /** 4.5 for `claude-opus-4-5-20251101`; 0 when the name has none. */
  readonly version: number;
  /** Output tokens of one answer, at most. */
  readonly maxOutput: number;
  /** `output_config.format`, and `strict` on tools. */
  readonly schemas: boolean;
  /** Values of `output_config.effort`, rising; empty = it has none. */
  readonly efforts: readonly Effort[];
  /** `thinking: {type: "adaptive"}` */
  readonly adaptive: boolean;
  /** `thinking: {type: "enabled", budget_tokens}` */
  readonly budget: boolean;
  /** Thinks unless told otherwise. */
  readonly thinksByDefault: boolean;
  /** The least thinking that can be asked for. */
  readonly leastThinking: 'disabled' | 'between_tools' | 'adaptive';
  /** Takes `temperature`, `top_p` and `top_k` other than their defaults. */
  readonly sampling: boolean;
  /** Takes `tool_choice` `any` and `tool`. */
  readonly forcedTools: boolean;
}

type Facts = Omit<ClaudeModel, 'family' | 'version'>;

const UP_TO_MAX: readonly Effort[] = ['low', 'medium', 'high', 'max'];
const ALL_EFFORTS: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max'];

/** Claude 3, and every model behind this dialect that is not known by name. */
const OLD: Facts = {
  maxOutput: 8_192,
  schemas: false,
  efforts: [],
  adaptive: false,
  budget: false,
  thinksByDefault: false,
  leastThinking: 'disabled',
  sampling: true,
  forcedTools: true,
};
const CLAUDE_3_7: Facts = { ...OLD, maxOutput: 64_000, budget: true };
const CLAUDE_4: Facts = { ...CLAUDE_3_7 };
const OPUS_4: Facts = { ...CLAUDE_4, maxOutput: 32_000 };
const OPUS_4_1: Facts = { ...OPUS_4, schemas: true };
const CLAUDE_4_5: Facts = { ...CLAUDE_4, schemas: true };
const OPUS_4_5: Facts = { ...CLAUDE_4_5, efforts: ['low', 'medium', 'high'] };
const CLAUDE_4_6: Facts = { ...CLAUDE_4_5, maxOutput: 128_000, efforts: UP_TO_MAX, adaptive: true };
const CLAUDE_4_7: Facts = { ...CLAUDE_4_6, efforts: ALL_EFFORTS, budget: false, sampling: false };
const CLAUDE_5: Facts = { ...CLAUDE_4_7, thinksByDefault: true };
const ALWAYS_THINKING: Facts = { ...CLAUDE_5, leastThinking: 'adaptive' };
/** Also refuses to be made to call a tool. */
const CLAUDE_5_5: Facts = { ...ALWAYS_THINKING, forcedTools: false };

/**
 * First match wins: family (`*` = any), first and last version. A version that nobody has seen yet is taken for the newest:
 * those refuse the most, and what is left out is told in a warning.
 * https://platform.claude.com/docs/en/build-with-claude/thinking, …/effort, …/structured-outputs
 */
const MODELS: readonly (readonly [family: string, from: number, to: number, facts: Facts])[] = [
  ['opus', 4, 4, OPUS_4],
  ['opus', 4.1, 4.4, OPUS_4_1],
  ['opus', 4.5, 4.5, OPUS_4_5],
  ['*', 0, 2.9, { ...OLD, maxOutput: 4_096 }],
  ['*', 3, 3.4, { ...OLD, maxOutput: 4_096 }],
  ['*', 3.5, 3.6, OLD],
  ['*', 3.7, 3.9, CLAUDE_3_7],
  ['*', 4, 4.4, CLAUDE_4],
  ['*', 4.5, 4.5, CLAUDE_4_5],
  ['*', 4.6, 4.6, CLAUDE_4_6],
  ['*', 4.7, 4.9, CLAUDE_4_7],
  ['fable', 5, 5, ALWAYS_THINKING],
  ['mythos', 0, 5, ALWAYS_THINKING],
  ['fable', 5.1, 99, CLAUDE_5_5],
  ['mythos', 5.1, 99, CLAUDE_5_5],
  ['haiku', 5.5, 5.5, CLAUDE_5],
  ['sonnet', 5.5, 5.5, { ...CLAUDE_5_5, leastThinking: 'between_tools' }],
  ['*', 5, 5.4, CLAUDE_5],
  ['*', 5.5, 99, CLAUDE_5_5],
];

const FAMILY_FIRST = /claude-(opus|sonnet|haiku|fable|mythos)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/;
const VERSION_FIRST = /claude-(\d)(?:[-.](\d{1,2}))?-(opus|sonnet|haiku|fable|mythos)/;
const PREVIEW = /claude-(fable|mythos)\b/;
const BARE_VERSION = /claude-(?:v|instant-v?)?(\d)(?:[-.:](\d))?/;

/**
 * The model behind any of its names: `claude-opus-4-5-20251101`, `claude-3-5-sonnet@20240620` (Google),
 * `eu.anthropic.claude-haiku-4-5-20251001-v1:0` and inference profile ARNs that hold it (AWS), `claude-4.5-sonnet`.
 */
export function claudeModel(name: string): ClaudeModel {
  const { family, version } = parseName(name.toLowerCase());
  if (family === null) return { ...OLD, family, version };
  const row = MODELS.find(([kind, from, to]) => (kind === '*' || kind === family) && version >= from && version <= to);
  return { ...(row?.[3] ?? CLAUDE_5_5), family, version };
}

function parseName(name: string): Pick<ClaudeModel, 'family' | 'version'> {
  const [, first = null, major = '', minor = ''] = FAMILY_FIRST.exec(name) ?? [];
  if (first !== null) return { family: first, version: versionOf(major, minor) };
  const [, oldMajor = '', oldMinor = '', last = null] = VERSION_FIRST.exec(name) ?? [];
  if (last !== null) return { family: last, version: versionOf(oldMajor, oldMinor) };
  const [, preview = null] = PREVIEW.exec(name) ?? [];
  if (preview !== null) return { family: preview, version: 5 };
  const [, bareMajor = null, bareMinor = ''] = BARE_VERSION.exec(name) ?? [];
  return bareMajor === null
    ? { family: null, version: 0 }
    : { family: 'claude', version: versionOf(bareMajor, bareMinor) };
}

/** As a decimal fraction, so that versions compare as numbers; a minor version above 9 stays below the next major one. */
function versionOf(major: string, minor: string): number {
  return Number(minor === '' ? major : `${major}.${Math.min(Number(minor), 9)}`);
}
