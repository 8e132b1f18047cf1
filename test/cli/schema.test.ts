import t from 'tap';
import { directoryWith, runCommand } from './run-command.js';

t.test('a JSON Schema', async (t) => {
  const result = await runCommand({
    module: 'schema',
    make: 'schemaCommand',
    words: [],
    directory: directoryWith(t, {}),
  });
  t.equal(result.code, 0, result.stderr);
  t.match(JSON.parse(result.stdout), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { gateway: { type: 'object' }, keys: { type: 'array' } },
  });
});
