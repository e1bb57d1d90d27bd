import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';

const ROOT = join(__dirname, '..');
const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** The product's source files: no specs, nothing that serves specs, nothing generated. */
function sourceFiles(): string[] {
  return ['libs', 'apps'].flatMap((part) =>
    readdirSync(join(ROOT, part)).flatMap((name) => {
      const source = join(ROOT, part, name, 'src');
      if (!existsSync(source)) return [];
      return readdirSync(source, { recursive: true, encoding: 'utf8' })
        .filter(
          (file) => file.endsWith('.ts') && !/\.(spec|bench)\.ts$|(^|\/)(testing|generated)\//.test(file),
        )
        .map((file) => join(source, file));
    }),
  );
}

/** Every text in an expression that looks like a code. */
function codesIn(node: ts.Node): string[] {
  if (ts.isStringLiteral(node)) return CODE.test(node.text) ? [node.text] : [];
  return node.getChildren().flatMap(codesIn);
}

interface Found {
  readonly code: string;
  /** `null` where it is not written beside the code. */
  readonly disposition: string | null;
}

/** Codes of errors (`{ code: 'X', disposition: 'y' }`) and of park markers (`park(event, key, 'X', ...)`). */
function codesOf(file: string): Found[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const property = (name: string): ts.Expression | undefined =>
        node.properties.filter(ts.isPropertyAssignment).find((p) => p.name.getText() === name)?.initializer;
      const code = property('code');
      const disposition = property('disposition');
      const fate = disposition && ts.isStringLiteral(disposition) ? disposition.text : null;
      if (code !== undefined) found.push(...codesIn(code).map((text) => ({ code: text, disposition: fate })));
    }
    if (ts.isCallExpression(node) && node.expression.getText() === 'park') {
      found.push(...node.arguments.flatMap(codesIn).map((code) => ({ code, disposition: 'park' })));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The rows of the page: a code and its disposition in the first two cells. */
function documented(): Map<string, string> {
  const rows = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8').matchAll(
    /^\| `([A-Z0-9_]+)` *\| (\w+) /gm,
  );
  return new Map([...rows].map(([, code = '', disposition = '']) => [code, disposition]));
}

describe('docs/errors.md', () => {
  const found = sourceFiles().flatMap(codesOf);
  const inCode = [...new Set(found.map(({ code }) => code))].sort();

  it('has every code of the code base', () => {
    expect(inCode).toEqual(expect.arrayContaining(['CONFIG', 'REDUCER_FAILED', 'BAD_REQUEST', 'LEDGER_GAP']));
    const pages = documented();
    expect(inCode.filter((code) => !pages.has(code))).toEqual([]);
  });

  it('has no code that no program gives', () => {
    expect([...documented().keys()].filter((code) => !inCode.includes(code))).toEqual([]);
  });

  it('tells the disposition that the code has', () => {
    const pages = documented();
    const wrong = found.filter(
      ({ code, disposition }) => disposition !== null && pages.get(code) !== disposition,
    );
    expect(wrong).toEqual([]);
  });
});
