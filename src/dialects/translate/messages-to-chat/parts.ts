import { type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { blocksOf, cacheControl, dropRest } from './blocks.js';

/** Where blocks of content stand, as losses name it. */
export const CONTENT = 'messages[].content[]';

type PartWriter = (block: JsonObject, context: TranslationContext) => readonly JsonObject[];

const WRITERS: ReadonlyMap<string, PartWriter> = new Map<string, PartWriter>([
  ['text', textParts],
  ['image', imageParts],
  ['document', documentParts],
  ['search_result', searchResultParts],
  ['tool_reference', (block) => textPart(`Tool: ${stringIn(block, 'tool_name') ?? ''}`)],
  // A summary that stands for the turns before it.
  ['compaction', (block) => textPart(stringIn(block, 'content') ?? '')],
]);

/** A block that a user or a tool wrote as parts of a chat message. Refuses blocks that only Anthropic's servers can read. */
export function partsOf(block: JsonObject, context: TranslationContext): readonly JsonObject[] {
  const type = stringIn(block, 'type') ?? '';
  const write = WRITERS.get(type);
  if (write === undefined) return refuseBlock(type, context);
  const parts = write(block, context);
  const hint = cacheControl(block, context);
  const last = parts.at(-1);
  return last === undefined ? [] : [...parts.slice(0, -1), { ...last, ...hint }];
}

export function refuseBlock(type: string, { losses }: TranslationContext): never {
  const shown = type.slice(0, 60);
  return losses.refuse(`${CONTENT}.type`, `a block of type "${shown}" can only be read by Anthropic's own service`);
}

const TEXT_MEMBERS: ReadonlySet<string> = new Set(['text']);

function textParts(block: JsonObject, context: TranslationContext): readonly JsonObject[] {
  const { citations, ...rest } = block;
  if (Array.isArray(citations) && citations.length > 0) context.losses.drop(`${CONTENT}.citations`);
  dropRest(rest, TEXT_MEMBERS, CONTENT, context);
  return textPart(stringIn(block, 'text') ?? '');
}

/** Empty texts say nothing, and some providers refuse them. */
export function textPart(text: string): readonly JsonObject[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

function imageParts(block: JsonObject, context: TranslationContext): readonly JsonObject[] {
  const source = objectIn(block, 'source');
  dropRest(block, new Set(['source']), CONTENT, context);
  const url = source?.['type'] === 'url' ? stringIn(source, 'url') : dataUrl(source);
  if (url === null) return refuseSource('image', source, context);
  return [{ type: 'image_url', image_url: { url } }];
}

function dataUrl(source: JsonObject | null): string | null {
  const data = source?.['type'] === 'base64' ? stringIn(source, 'data') : null;
  return data === null ? null : `data:${stringIn(source, 'media_type') ?? ''};base64,${data}`;
}

const DOCUMENT_MEMBERS: ReadonlySet<string> = new Set(['source', 'title', 'context']);

function documentParts(block: JsonObject, context: TranslationContext): readonly JsonObject[] {
  const { citations: _, ...rest } = block;
  if (objectIn(block, 'citations')?.['enabled'] === true) context.losses.drop(`${CONTENT}.citations`);
  dropRest(rest, DOCUMENT_MEMBERS, CONTENT, context);
  const source = objectIn(block, 'source');
  const read = SOURCES.get(stringIn(source, 'type') ?? '');
  if (source === null || read === undefined) return refuseSource('document', source, context);
  return read({ source, title: stringIn(block, 'title') ?? '', about: stringIn(block, 'context') ?? '' }, context);
}

interface Document {
  readonly source: JsonObject;
  readonly title: string;
  /** What the client tells of the document beside its content. */
  readonly about: string;
}

type DocumentReader = (document: Document, context: TranslationContext) => readonly JsonObject[];

const SOURCES: ReadonlyMap<string, DocumentReader> = new Map<string, DocumentReader>([
  ['base64', ({ source, title, about }) => [...textPart(about), filePart({ file_data: dataUrl(source) ?? '' }, title)]],
  ['url', linkedDocument],
  ['text', (document) => textPart([...heading(document), stringIn(document.source, 'data') ?? ''].join('\n'))],
  [
    'content',
    (document, context) => {
      const inner = blocksOf(document.source['content'], `${CONTENT}.source.content`);
      return [...textPart(heading(document).join('\n')), ...inner.flatMap((block) => partsOf(block, context))];
    },
  ],
]);

function linkedDocument({ source, title, about }: Document, context: TranslationContext): readonly JsonObject[] {
  if (!context.extended) return refuseSource('document', source, context);
  return [...textPart(about), filePart({ file_url: stringIn(source, 'url') ?? '' }, title)];
}

function heading({ title, about }: Document): readonly string[] {
  return [...(title === '' ? [] : [`Document: ${title}`]), ...(about === '' ? [] : [about])];
}

/** OpenAI wants a name for every file. */
function filePart(file: JsonObject, title: string): JsonObject {
  const name = title.replace(/[^\w. -]+/g, '_').slice(0, 100) || 'document';
  return { type: 'file', file: { ...file, filename: /\.pdf$/i.test(name) ? name : `${name}.pdf` } };
}

function refuseSource(what: string, source: JsonObject | null, { losses }: TranslationContext): never {
  const type = (stringIn(source, 'type') ?? 'none').slice(0, 60);
  return losses.refuse(`${CONTENT}.source`, `it takes no ${what} whose source is of type "${type}"`);
}

function searchResultParts(block: JsonObject, context: TranslationContext): readonly JsonObject[] {
  if (objectIn(block, 'citations')?.['enabled'] === true) context.losses.drop(`${CONTENT}.citations`);
  const texts = listIn(block, 'content').map((part) => stringIn(part, 'text') ?? '');
  return textPart(
    [`Search result: ${stringIn(block, 'title') ?? ''}`, stringIn(block, 'source') ?? '', ...texts].join('\n'),
  );
}
