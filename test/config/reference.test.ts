import t from 'tap';
import { editorSchema } from '../../src/config/editor-schema.js';
import { configurationReference, EXAMPLE_CONFIG } from '../../src/config/reference.js';
import { inputSchema, type SchemaNode } from '../../src/config/schema.js';
import { loaded } from './surroundings.js';

t.test('the example at the top of the reference loads', async (t) => {
  t.ok(loaded(EXAMPLE_CONFIG).models.has('smart'));
});

t.test('every setting is described and in the reference', async (t) => {
  const reference = configurationReference();
  const visit = (node: SchemaNode, path: string) => {
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const setting = path === '' ? name : `${path}.${name}`;
      t.ok(child.description, `${setting} is described`);
      // Where one or a list of them may stand, they are described once.
      const isThere = [setting, setting.replace(/(jwt|credentials)\[\]/, '$1')].some((name) =>
        reference.includes(`\`${name}`),
      );
      t.ok(isThere, `${setting} is in the reference`);
      visit(child, setting);
    }
    const item = node.items ?? node.additionalProperties;
    if (typeof item === 'object') visit(item, `${path}${node.items === undefined ? '.<name>' : '[]'}`);
    for (const branch of node.anyOf ?? []) visit(branch, path);
  };
  visit(inputSchema(), '');
  t.match(reference, /`models\.<name>\.retry\.first_token` \| duration or `off` \| `30s`/);
  t.match(reference, /retry\.on` \| list of status or word \| `\[429, 5xx, connect, .*, context_length\]`/);
  t.match(reference, /^\| `content_filter` \| \S/m);
});

t.test('the schema for editors', async (t) => {
  t.match(JSON.stringify(editorSchema()), /"minimum":400,"maximum":599/);
  const schema = JSON.stringify(editorSchema());
  t.notMatch(schema, /"example":/);
  t.match(editorSchema(), {
    additionalProperties: false,
    properties: { gateway: { properties: { listen: { examples: [':9080'] } } } },
  });
});
