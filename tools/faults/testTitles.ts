import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** One test of a spec file, as its source has it. */
export interface TitledTest {
  /** As written: of a table of tests, with its `%s`. */
  readonly title: string;
  /** Titles of the blocks around it, outermost first. */
  readonly within: readonly string[];
  /** The test's own text, with the comment before it. */
  readonly text: string;
  /** It is never run: it, or a block around it, is left out whatever happens. */
  readonly skipped: boolean;
}

const BLOCKS = new Set(['describe']);
const TESTS = new Set(['it', 'test']);

/** Every test of a spec file, or of a file of features that specs run; also those that stand in a table. */
export function testsOf(file: string): readonly TitledTest[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const tests: TitledTest[] = [];

  const visit = (node: ts.Node, within: readonly string[], skipped: boolean): void => {
    if (!ts.isCallExpression(node)) return ts.forEachChild(node, (child) => visit(child, within, skipped));
    const called = calledName(node.expression);
    const title = node.arguments[0] === undefined ? undefined : textOf(node.arguments[0]);
    if (called === undefined || title === undefined) {
      return ts.forEachChild(node, (child) => visit(child, within, skipped));
    }
    const leftOut = skipped || isSkip(node.expression);
    if (TESTS.has(called)) tests.push({ title, within, text: node.getFullText(source), skipped: leftOut });
    const inside = BLOCKS.has(called) ? [...within, title] : within;
    node.arguments.forEach((argument) => visit(argument, inside, leftOut));
  };
  visit(source, [], false);
  return tests;
}

/** The name behind `it(...)`, `it.each(...)(...)`, `it.concurrent(...)`, `(condition ? it : it.skip)(...)`. */
function calledName(expression: ts.Expression): string | undefined {
  if (ts.isIdentifier(expression)) {
    return BLOCKS.has(expression.text) || TESTS.has(expression.text) ? expression.text : undefined;
  }
  if (ts.isPropertyAccessExpression(expression)) return calledName(expression.expression);
  if (ts.isParenthesizedExpression(expression)) return calledName(expression.expression);
  if (ts.isConditionalExpression(expression)) return calledName(expression.whenTrue);
  if (ts.isCallExpression(expression) || ts.isTaggedTemplateExpression(expression)) {
    const inner = ts.isCallExpression(expression) ? expression.expression : expression.tag;
    return ts.isPropertyAccessExpression(inner) && inner.name.text === 'each' ? calledName(inner) : undefined;
  }
  return undefined;
}

/** Whether it is `it.skip(...)`, `it.todo(...)`, `describe.skip.each(...)(...)`; one that depends on a condition is not. */
function isSkip(expression: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(expression)) {
    return ['skip', 'todo'].includes(expression.name.text) || isSkip(expression.expression);
  }
  if (ts.isCallExpression(expression)) return isSkip(expression.expression);
  return ts.isTaggedTemplateExpression(expression) && isSkip(expression.tag);
}

/** A title's text; pieces that are put together, put together; what is computed, as `%s`. */
function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map((span) => `%s${span.literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(node.left), textOf(node.right)];
    return left === undefined || right === undefined ? undefined : left + right;
  }
  return undefined;
}

/** Whether jest's full title of a test that ran is this one: `%s` and its like stand for anything. */
export function isTitle(written: string, ran: string): boolean {
  const pattern = written
    .split(/%[a-zA-Z%#$]|\$[a-zA-Z#.]+/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`, 's').test(ran);
}

/** Ids of fault rows, as titles and comments cite them: `P3`, `Q12`, `B4`, `O1`, `E14`. */
export function citedIds(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\b([PRQDBOE][1-9]\d?)\b/g)].map(([, id = '']) => id));
}
