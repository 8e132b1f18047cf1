import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A configuration that a reader would copy. */
export interface Example {
  /** File, and for a fenced block the line at which it begins. */
  readonly name: string;
  readonly text: string;
}

/** Complete configurations in these files: whole `.yaml` files, and fenced `yaml` blocks of Markdown. */
export function exampleConfigs(files: readonly string[]): readonly Example[] {
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const candidates = file.endsWith('.md') ? fencedBlocks(file, text) : [{ name: file, text }];
    return candidates.filter((candidate) => isConfig(candidate.text));
  });
}

function fencedBlocks(file: string, text: string): readonly Example[] {
  return [...text.matchAll(/^```ya?ml[^\n]*\n([\s\S]*?)^```/gm)].map((match) => ({
    name: `${file}:${text.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
  }));
}

// Fragments that show one section are no complete configuration. A block that is no YAML at all is a mistake of the
// page, which loading it as a configuration will report.
function isConfig(text: string): boolean {
  try {
    const value: unknown = parse(text);
    return typeof value === 'object' && value !== null && 'providers' in value;
  } catch {
    return /^providers:/m.test(text);
  }
}
