import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';

/** What the structure rules need to know of one TypeScript file. */
export interface SourceFile {
  /** Relative to the project, such as `src/codec/sse.ts`. */
  readonly path: string;
  readonly lines: number;
  /** Everything it imports or re-exports, types included, as written: `node:fs`, `pino`, `../codec/sse.js`. */
  readonly imports: readonly string[];
  /** The imports within the project, as paths of `.ts` files. */
  readonly local: readonly string[];
  /** Files that it starts as a program or worker: `new URL('./x.js', import.meta.url)`. */
  readonly started: readonly string[];
  readonly hasDefaultExport: boolean;
  /** It has statements, and all of them are `export … from`. */
  readonly onlyReexports: boolean;
  /** Names that it declares: variables, parameters, functions, members. */
  readonly declared: ReadonlySet<string>;
  readonly functions: readonly FunctionShape[];
  readonly text: string;
}

export interface FunctionShape {
  readonly name: string;
  readonly parameters: number;
}

/** Reads and parses a file. `path` is relative to the working directory, with `/`. */
export function readSourceFile(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
  const byUrl = [...text.matchAll(/new URL\(['"](\.[^'"]+\.js)['"]/g)].flatMap((match) => match[1] ?? []);
  const declared = new Set<string>();
  const functions: FunctionShape[] = [];
  visit(parsed, (node) => {
    const name = declaredName(node);
    if (name !== null) declared.add(name);
    if (isFunctionWithBody(node)) functions.push(shapeOf(node));
  });
  return {
    path,
    lines: text.split('\n').length - 1,
    imports,
    local: imports.filter((name) => name.startsWith('.')).map((name) => resolveImport(path, name)),
    started: byUrl.map((name) => resolveImport(path, name)),
    hasDefaultExport: parsed.statements.some(isDefaultExport),
    onlyReexports: parsed.statements.length > 0 && parsed.statements.every(isReexport),
    declared,
    functions,
    text,
  };
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  node.forEachChild((child) => visit(child, look));
}

function resolveImport(from: string, name: string): string {
  return posix.join(posix.dirname(from), name).replace(/\.js$/, '.ts');
}

function isDefaultExport(statement: ts.Statement): boolean {
  if (ts.isExportAssignment(statement)) return true;
  if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
    return statement.exportClause.elements.some((element) => element.name.text === 'default');
  }
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  return modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}

function isReexport(statement: ts.Statement): boolean {
  return ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined;
}

function declaredName(node: ts.Node): string | null {
  const declares =
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isBindingElement(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isMethodDeclaration(node);
  return declares && node.name !== undefined && ts.isIdentifier(node.name) ? node.name.text : null;
}

type FunctionWithBody = ts.FunctionDeclaration | ts.MethodDeclaration | ts.ConstructorDeclaration;

function isFunctionWithBody(node: ts.Node): node is FunctionWithBody {
  const kind = ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node);
  return kind && node.body !== undefined;
}

function shapeOf(node: FunctionWithBody): FunctionShape {
  return {
    name: ts.isConstructorDeclaration(node) ? 'constructor' : (node.name?.getText() ?? 'default'),
    parameters: node.parameters.length,
  };
}
