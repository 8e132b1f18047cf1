import t from 'tap';
import { parse } from 'yaml';
import { directoryWith, runCommand } from './run-command.js';

const LITELLM = `model_list:
  - { model_name: gpt, litellm_params: { model: openai/gpt-4o, api_key: os.environ/KEY, rpm: 5 } }
`;

function importFile(directory: string, words: readonly string[]) {
  return runCommand({ module: 'import', make: 'importCommand', words, directory });
}

t.test('our configuration on stdout, what is missing on stderr', async (t) => {
  const result = await importFile(directoryWith(t, { 'litellm.yaml': LITELLM }), ['--from', 'litellm', 'litellm.yaml']);
  t.equal(result.code, 0, result.stderr);
  t.same(parse(result.stdout), {
    providers: { openai: { kind: 'openai', credentials: `\${KEY}` } },
    models: { gpt: { targets: ['openai/gpt-4o'] } },
  });
  t.match(result.stderr, /litellm\.yaml: model_list\[0\]\.litellm_params\.rpm: not expressed/);
});

t.test('what cannot be imported', async (t) => {
  const directory = directoryWith(t, { 'other.yaml': 'a: 1\n' });
  t.match(await importFile(directory, ['--from', 'litellm', 'other.yaml']), {
    code: 1,
    stderr: /no YAML file with a model_list/,
  });
  t.match(await importFile(directory, ['--from', 'litellm', 'none.yaml']), {
    code: 1,
    stderr: /cannot read none\.yaml/,
  });
  t.match(await importFile(directory, ['--from', 'kong', 'other.yaml']), { code: 1, stderr: /only litellm/ });
});
