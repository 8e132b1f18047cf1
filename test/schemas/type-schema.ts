import ts from 'typescript';

/** A JSON Schema (draft 2020-12), as data. */
export type Schema = { readonly [keyword: string]: unknown };

/** Where a type is declared, and what is known of it beyond its declaration. */
export interface TypeSource {
  /** Absolute path of the module's declarations. */
  readonly file: string;
  /** An exported interface or type. */
  readonly type: string;
  /** `Response.output_text`: members that no wire has, because the client computes them. */
  readonly without?: readonly string[];
  /** In the same form: members that servers send although nothing declares them. */
  readonly undeclared?: readonly string[];
  /** In the same form: members that may be null although they are not declared so. */
  readonly nullable?: readonly string[];
  /** Members that the declaration does not name are allowed. */
  readonly open?: boolean;
}

/**
 * The published types of an official client as JSON Schema: what it declares, its servers accept or send. Members that are not
 * declared are refused, so that an invented or misspelt one is seen. Takes about a second for all types together.
 */
export function schemasOfTypes<Name extends string>(sources: Readonly<Record<Name, TypeSource>>): Record<Name, Schema> {
  const entries = Object.entries<TypeSource>(sources);
  const program = ts.createProgram(
    entries.map(([, source]) => source.file),
    COMPILER_OPTIONS,
  );
  const checker = program.getTypeChecker();
  const schemas = entries.map(([name, source]) => [name, schemaOf(findType(program, source), checker, source)]);
  return Object.fromEntries(schemas);
}

const COMPILER_OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
  lib: ['lib.es2024.d.ts'],
};

function findType(program: ts.Program, { file, type }: TypeSource): ts.Type {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  const symbol = module && checker.getExportsOfModule(module).find((each) => each.name === type);
  if (symbol === undefined) throw new Error(`${file} exports no ${type}`);
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return checker.getDeclaredTypeOfSymbol(target);
}

function schemaOf(type: ts.Type, checker: ts.TypeChecker, source: TypeSource): Schema {
  const converter = new Converter(checker, source);
  const root = converter.convert(type);
  return { ...root, $defs: Object.fromEntries(converter.definitions) };
}

interface ObjectSchema {
  type: 'object';
  properties: Record<string, Schema>;
  required: string[];
  additionalProperties: boolean | Schema;
}

class Converter {
  readonly definitions = new Map<string, ObjectSchema>();
  readonly #names = new Map<ts.Type, string>();
  readonly #checker: ts.TypeChecker;
  readonly #open: boolean;
  readonly #without: ReadonlySet<string>;
  readonly #nullable: ReadonlySet<string>;
  readonly #undeclared: readonly string[];

  constructor(checker: ts.TypeChecker, source: TypeSource) {
    this.#checker = checker;
    this.#open = source.open === true;
    this.#without = new Set(source.without);
    this.#nullable = new Set(source.nullable);
    this.#undeclared = source.undeclared ?? [];
  }

  convert(type: ts.Type): Schema {
    for (const [flags, schema] of PRIMITIVES) if (type.flags & flags) return schema;
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: this.#checker.typeToString(type) === 'true' };
    if (type.isUnion()) return this.#union(type);
    // `string & {}`: any string, beside a list of well-known ones.
    if (type.isIntersection() && type.types.some((part) => part.flags & ts.TypeFlags.String)) return { type: 'string' };
    if (this.#checker.isArrayType(type)) return this.#list(type);
    return this.#object(type);
  }

  #list(type: ts.Type): Schema {
    const element = this.#checker.getTypeArguments(type as ts.TypeReference)[0];
    return { type: 'array', items: element === undefined ? {} : this.convert(element) };
  }

  #object(type: ts.Type): Schema {
    const known = this.#names.get(type);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    const symbol = type.aliasSymbol ?? type.getSymbol();
    const name = `${(symbol?.name ?? 'type').replace(/\W/g, '')}-${this.#names.size}`;
    this.#names.set(type, name);
    const schema: ObjectSchema = { type: 'object', properties: {}, required: [], additionalProperties: this.#open };
    this.definitions.set(name, schema);
    const index = type.getStringIndexType();
    if (index !== undefined) schema.additionalProperties = this.convert(index);
    for (const member of this.#checker.getPropertiesOfType(type)) {
      const path = `${symbol?.name}.${member.name}`;
      if (this.#without.has(path)) continue;
      const optional = (member.flags & ts.SymbolFlags.Optional) !== 0;
      const declared = this.convert(this.#checker.getTypeOfSymbol(member));
      schema.properties[member.name] = this.#nullable.has(path) ? { anyOf: [declared, { type: 'null' }] } : declared;
      if (!optional) schema.required.push(member.name);
    }
    for (const path of this.#undeclared) {
      const [owner, member = ''] = path.split('.');
      if (owner === symbol?.name) schema.properties[member] = {};
    }
    return { $ref: `#/$defs/${name}` };
  }

  #union(type: ts.UnionType): Schema {
    const parts = type.types.filter((part) => !(part.flags & ts.TypeFlags.Undefined));
    const objects = parts.filter(
      (part) => (part.flags & ts.TypeFlags.Object) !== 0 && !this.#checker.isArrayType(part),
    );
    const others = parts.filter((part) => !objects.includes(part)).map((part) => this.convert(part));
    const tagged = this.#tagged(objects);
    const all = tagged === null ? [...others, ...objects.map((part) => this.convert(part))] : [...others, tagged];
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { anyOf: all };
  }

  /** Objects told apart by `type` (or `role`, or `object`): the tag picks the one schema that counts, so that an error names the member at fault. */
  #tagged(objects: readonly ts.Type[]): Schema | null {
    if (objects.length < 2) return null;
    for (const tag of ['type', 'role', 'object']) {
      const byTag = new Map<string, ts.Type>();
      for (const object of objects) for (const value of this.#tagsOf(object, tag)) byTag.set(value, object);
      const all = objects.every((object) => this.#tagsOf(object, tag).length > 0);
      if (!all || new Set(byTag.values()).size < objects.length) continue;
      const cases = [...byTag].map(([value, object]) => ({
        if: { properties: { [tag]: { const: value } }, required: [tag] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: this.convert(object),
      }));
      return { type: 'object', required: [tag], properties: { [tag]: { enum: [...byTag.keys()] } }, allOf: cases };
    }
    return null;
  }

  /** The texts that a required member of literals may have. */
  #tagsOf(object: ts.Type, tag: string): readonly string[] {
    const member = object.getProperty(tag);
    if (member === undefined || member.flags & ts.SymbolFlags.Optional) return [];
    const type = this.#checker.getTypeOfSymbol(member);
    const parts = type.isUnion() ? type.types : [type];
    return parts.every((part) => part.isStringLiteral()) ? parts.map((part) => String(part.value)) : [];
  }
}

const PRIMITIVES: readonly (readonly [ts.TypeFlags, Schema])[] = [
  [ts.TypeFlags.Any | ts.TypeFlags.Unknown, {}],
  [ts.TypeFlags.Never, { not: {} }],
  [ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral, { type: 'string' }],
  [ts.TypeFlags.Number, { type: 'number' }],
  [ts.TypeFlags.Boolean, { type: 'boolean' }],
  [ts.TypeFlags.Null, { type: 'null' }],
];
