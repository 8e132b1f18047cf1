import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { ENDPOINTS } from '../../../src/dialects/endpoints.js';
import { allTranslations, findTranslation } from '../../../src/dialects/translate/registry.js';
import { FEATURES, featureFates, keepsSignatures } from '../../../src/providers/reference/features.js';
import { probeTranslation } from '../../../src/providers/reference/probe-translation.js';
import { DIALECTS } from '../../../src/providers/reference/probes.js';
import { COLUMNS, providerReference } from '../../../src/providers/reference/provider-reference.js';
import { PROVIDER_KINDS } from '../../../src/providers/registry.js';
import { type Schema, schemasOfTypes } from '../../schemas/type-schema.js';

const packages = (name: string) => dirname(fileURLToPath(import.meta.resolve(name)));

function pair(from: Wire, to: Wire) {
  const found = findTranslation(from, to);
  if (found === null) throw new Error(`no ${from} to ${to}`);
  return found;
}

t.test('no member of a client’s request is left out silently', async (t) => {
  for (const each of allTranslations()) {
    const excused = new Set(DIALECTS.get(each.from)?.probes.flatMap(({ field, silent }) => (silent ? field : [])));
    const silent = probeTranslation(each).filter(({ fate, field }) => fate === 'silent' && !excused.has(field));
    t.same(silent, [], `${each.from} to ${each.to}`);
  }
});

t.test('every member that official clients declare is probed', async (t) => {
  const sources = {
    'openai-chat': ['openai', 'resources/chat/completions/completions.d.mts', 'ChatCompletionCreateParams'],
    'openai-responses': ['openai', 'resources/responses/responses.d.mts', 'ResponseCreateParams'],
    'anthropic-messages': ['@anthropic-ai/sdk', 'resources/messages/messages.d.mts', 'MessageCreateParams'],
  } as const;
  const schemas = schemasOfTypes(
    Object.fromEntries(
      Object.entries(sources).map(([wire, [name, path, type]]) => [wire, { file: `${packages(name)}/${path}`, type }]),
    ),
  );
  /** Who is asked, and how the answer comes; what they are is not of the translation. */
  const elsewhere = new Set(['model', 'messages', 'stream', 'stream_options', 'input', 'access_programs', 'image']);
  for (const [wire, schema] of Object.entries(schemas)) {
    const probed = new Set(DIALECTS.get(wire as Wire)?.probes.flatMap(({ members }) => Object.keys(members)));
    const missing = [...membersOf(schema, schema)].filter((name) => !probed.has(name) && !elsewhere.has(name));
    t.same(missing, [], wire);
    t.ok(probed.size > 10, wire);
  }
});

function* membersOf(node: Schema, root: Schema): Generator<string> {
  const { $ref, anyOf, allOf, properties } = node as {
    readonly $ref?: string;
    readonly anyOf?: readonly Schema[];
    readonly allOf?: readonly { readonly then: Schema }[];
    readonly properties?: Readonly<Record<string, Schema>>;
  };
  const definitions = root['$defs'] as Readonly<Record<string, Schema>>;
  const referred = definitions[$ref?.split('/').at(-1) ?? ''];
  if (referred !== undefined) yield* membersOf(referred, root);
  for (const branch of anyOf ?? []) yield* membersOf(branch, root);
  for (const branch of allOf ?? []) yield* membersOf(branch.then, root);
  yield* Object.keys(properties ?? {});
}

t.test('what is found agrees with what is known', async (t) => {
  const fate = (from: Wire, to: Wire, field: string) =>
    probeTranslation(pair(from, to)).flatMap((finding) => (finding.field === field ? finding.fate : []));
  t.same(fate('openai-chat', 'anthropic-messages', 'n'), ['refused', 'refused']);
  t.same(fate('openai-chat', 'anthropic-messages', 'seed'), ['dropped', 'dropped']);
  t.same(fate('openai-chat', 'anthropic-messages', 'temperature'), ['carried', 'dropped'], 'newer models take none');
  t.same(fate('openai-chat', 'gemini-generate', 'seed'), ['carried', 'carried']);
  t.same(fate('openai-responses', 'gemini-generate', 'previous_response_id'), ['refused', 'refused']);
  t.same(fate('anthropic-messages', 'openai-chat', 'top_k'), ['dropped']);
  const images = FEATURES.find(({ title }) => title === 'images by address');
  t.same(images && featureFates(pair('openai-chat', 'bedrock-converse'), images), ['refused', 'refused', 'refused']);
  const audio = FEATURES.find(({ title }) => title === 'audio as input');
  t.equal(audio && featureFates(pair('anthropic-messages', 'gemini-generate'), audio), null);
});

t.test('signatures of thoughts come back to every provider that signs', async (t) => {
  const generating = allTranslations().filter(({ from }) =>
    DIALECTS.get(from)?.probes.some((p) => p.field === 'tools'),
  );
  t.ok(generating.length >= 13);
  for (const each of generating.filter(({ from, to }) => from !== to && to !== 'openai-chat' && !to.includes('count')))
    t.equal(keepsSignatures(each), true, `${each.from} to ${each.to}`);
});

t.test('the page names every kind and every endpoint', async (t) => {
  const page = providerReference();
  for (const kind of PROVIDER_KINDS.keys()) t.ok(page.includes(`| \`${kind}\` |`), kind);
  const shown = new Set(COLUMNS.map(([, wire]) => wire));
  t.same(
    ENDPOINTS.filter(({ wire }) => !shown.has(wire)).map(({ path }) => path),
    [],
  );
  t.match(page, /^\| `anthropic` \| messages \| messages \| native \|/m);
  t.match(page, /^\| `bedrock`, Claude \| Converse \| Converse \| native \|/m);
});
