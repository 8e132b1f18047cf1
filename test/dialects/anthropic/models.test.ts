import t from 'tap';
import { type ClaudeModel, claudeModel } from '../../../src/dialects/anthropic/models.js';

t.test('every spelling of a name is the same model', async (t) => {
  const cases: readonly [family: string | null, version: number, names: readonly string[]][] = [
    [
      'opus',
      4.5,
      [
        'claude-opus-4-5',
        'claude-opus-4-5-20251101',
        'claude-opus-4-5@20251101',
        'anthropic.claude-opus-4-5-20251101-v1:0',
        'global.anthropic.claude-opus-4-5-20251101-v1:0',
        'arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-4-5-20251101-v1:0',
        'claude-4.5-opus',
        'Claude-Opus-4.5',
      ],
    ],
    ['sonnet', 4, ['claude-sonnet-4-20250514', 'claude-sonnet-4-0', 'claude-sonnet-4@20250514', 'claude-sonnet-4']],
    [
      'sonnet',
      3.7,
      ['claude-3-7-sonnet-20250219', 'claude-3-7-sonnet@20250219', 'us.anthropic.claude-3-7-sonnet-20250219-v1:0'],
    ],
    ['sonnet', 3.5, ['claude-3-5-sonnet-20241022', 'claude-3.5-sonnet']],
    ['haiku', 3, ['claude-3-haiku-20240307', 'anthropic.claude-3-haiku-20240307-v1:0']],
    ['opus', 4.1, ['claude-opus-4-1-20250805']],
    ['opus', 4.6, ['anthropic.claude-opus-4-6-v1']],
    ['sonnet', 5, ['claude-sonnet-5']],
    ['haiku', 5.5, ['claude-haiku-5-5']],
    ['fable', 5.1, ['claude-fable-5-1']],
    ['mythos', 5, ['claude-mythos-preview', 'anthropic.claude-mythos-5']],
    ['claude', 2.1, ['claude-2.1', 'anthropic.claude-v2:1']],
    ['claude', 1.2, ['claude-instant-1.2']],
    ['opus', 6.9, ['claude-opus-6-12']],
    [null, 0, ['gpt-5', '', 'claudette', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc']],
  ];
  for (const [family, version, names] of cases) {
    for (const name of names) t.match(claudeModel(name), { family, version }, name);
  }
});

t.test('what the generations take', async (t) => {
  const cases: readonly [name: string, facts: Partial<ClaudeModel>][] = [
    ['gpt-5', { budget: false, adaptive: false, schemas: false, sampling: true, forcedTools: true }],
    ['claude-3-haiku-20240307', { maxOutput: 4096, budget: false, schemas: false }],
    ['claude-3-5-sonnet-20241022', { maxOutput: 8192, budget: false }],
    ['claude-3-7-sonnet-20250219', { budget: true, schemas: false, efforts: [] }],
    ['claude-sonnet-4-20250514', { budget: true, schemas: false, maxOutput: 64_000 }],
    ['claude-opus-4-1', { budget: true, schemas: true, maxOutput: 32_000 }],
    ['claude-haiku-4-5', { budget: true, schemas: true, efforts: [], adaptive: false }],
    ['claude-opus-4-5', { budget: true, schemas: true, efforts: ['low', 'medium', 'high'], adaptive: false }],
    ['claude-sonnet-4-6', { budget: true, adaptive: true, sampling: true, efforts: ['low', 'medium', 'high', 'max'] }],
    ['claude-opus-4-7', { budget: false, adaptive: true, sampling: false, thinksByDefault: false, forcedTools: true }],
    ['claude-opus-5', { budget: false, thinksByDefault: true, leastThinking: 'disabled', forcedTools: true }],
    ['claude-haiku-5-5', { leastThinking: 'disabled', forcedTools: true }],
    ['claude-sonnet-5-5', { leastThinking: 'between_tools', forcedTools: false }],
    ['claude-opus-5-5', { leastThinking: 'adaptive', forcedTools: false }],
    ['claude-fable-5', { leastThinking: 'adaptive', forcedTools: true }],
    ['claude-fable-5-2', { leastThinking: 'adaptive', forcedTools: false }],
    ['claude-opus-9', { leastThinking: 'adaptive', forcedTools: false, sampling: false, budget: false }],
  ];
  for (const [name, facts] of cases) t.match(claudeModel(name), facts, name);
});
