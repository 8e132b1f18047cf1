import { Command } from 'commander';
import { editorSchema } from '../config/editor-schema.js';

/** `tollgate schema`: JSON Schema of the configuration, for completion and checks in editors. */
export function schemaCommand(): Command {
  return new Command('schema').description('print the JSON Schema of the configuration, for editors').action(() => {
    process.stdout.write(`${JSON.stringify(editorSchema(), null, 2)}\n`);
  });
}
