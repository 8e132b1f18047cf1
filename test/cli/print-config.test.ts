import t from 'tap';
import { parse } from 'yaml';
import { directoryWith, runCommand } from './run-command.js';

const CONFIG = `providers: { openai: { kind: openai, credentials: "\${OPENAI_API_KEY}" } }
keys: [{ id: web, secret: canary-web-key-0123456789 }]
`;

function printConfig(directory: string, words: readonly string[], env: Readonly<Record<string, string>>) {
  return runCommand({ module: 'print-config', make: 'printConfigCommand', words, directory, env });
}

t.test('the effective configuration, secrets masked', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': CONFIG });
  const env = { OPENAI_API_KEY: 'sk-canary-openai-0123456789' };
  const yaml = await printConfig(directory, [], env);
  t.equal(yaml.code, 0, yaml.stderr);
  t.match(parse(yaml.stdout), {
    gateway: { listen: '0.0.0.0:8080' },
    providers: { openai: { credentials: '[secret:6789]' } },
  });
  t.match(yaml.stdout, /^# .*tollgate\.yaml, version [0-9a-f]{12}\n/);
  const json = await printConfig(directory, ['--format', 'json'], env);
  t.same(JSON.parse(json.stdout), parse(yaml.stdout));
  t.notMatch(yaml.stdout + json.stdout, /canary/);
});

t.test('mistakes', async (t) => {
  const directory = directoryWith(t, { 'tollgate.yaml': CONFIG });
  t.match(await printConfig(directory, [], {}), { code: 1, stdout: '', stderr: /OPENAI_API_KEY is not set/ });
  t.match(await printConfig(directory, ['--format', 'xml'], {}), { code: 1, stderr: /yaml or json/ });
});
